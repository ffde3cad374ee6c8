//! The marks that a plot's moisture is judged by: field capacity, wilting point, saturation.
//!
//! A plot's own record goes first: two days after a soaking the soil settles on a plateau, which is
//! its field capacity as its own probe reads it. Texture gives the rest.
//!
//! ```text
//!  peak ->  /\
//!          /  \___ plateau: 2 days later, no new rain
//!     ____/       \______
//! ```
//!
//! # What it leaves out
//!
//! A record that was wet all year has no plateau: what looks like one is a water table. Such a
//! record, and days under a flooded crop, give no field capacity.
//!
//! # Source
//!
//! Water of textures: the catalogue's table with its source. The plateau rule and its thresholds are
//! ours, after the field definition of field capacity (Veihmeyer and Hendrickson 1931: what is left
//! two or three days after a thorough wetting).

use jiff::civil::Date;
use plotwise_config::{catalogue::soil::TextureWater, land::SoilTexture};

/// Air-filled pore space below which roots lack air, m³/m³. Our choice after the usual 5 % for root
/// crops.
pub const AIR_MIN: f64 = 0.05;

/// A wetting raises moisture by at least this much within two days, m³/m³. Our choice.
const WETTING_RISE_MIN: f64 = 0.03;

/// Plateaus that a field capacity needs. Our choice.
const PLATEAUS_MIN: usize = 3;

/// Between its 10th and 90th percentile a record must span this much to show drainage, m³/m³. Our
/// choice.
const SPAN_MIN: f64 = 0.05;

/// From this many days under water their median is taken for saturation. Our choice.
const FLOODED_DAYS_MIN: usize = 10;

/// A texture is near where its field capacity differs by at most this from the plateau, m³/m³. Our
/// choice.
const NEAR_MAX: f64 = 0.04;

/// The driest level of a record: this share of its days is drier still. Our choice.
const DRIEST_SHARE: f64 = 0.02;

/// Where the marks come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarksBasis {
    /// The plot's texture alone.
    Texture,
    /// Field capacity from its own plateau, the rest from its texture.
    OwnRecord,
    /// Field capacity from its own plateau, the rest the mean of the textures that lie near it.
    NearTextures,
}

/// Water contents of one soil, m³/m³, rising.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoilMarks {
    /// Roots draw nothing below it.
    pub wilting_point: f64,
    /// What is left once surplus water has drained.
    pub field_capacity: f64,
    /// All pores full.
    pub saturation: Option<f64>,
    /// Where they come from.
    pub basis: MarksBasis,
}

impl SoilMarks {
    /// Whether the soil holds too little air at this moisture; `None` without a saturation.
    pub fn is_waterlogged(&self, moisture: f64) -> Option<bool> {
        self.saturation.map(|saturation| moisture > saturation - AIR_MIN)
    }

    /// Whether surplus water has not left: halfway between field capacity and saturation or wetter.
    ///
    /// Halfway is our choice: right at field capacity every rain would make a wet day.
    pub fn is_too_wet(&self, moisture: f64) -> Option<bool> {
        self.saturation.map(|saturation| moisture > f64::midpoint(self.field_capacity, saturation))
    }
}

/// One day's mean moisture of the topsoil, m³/m³.
pub type MoistureDay = (Date, f64);

/// The marks of a plot, from `drained` days (not under a flooded crop), `flooded` days and its
/// texture; `None` where neither record nor texture gives any.
///
/// Days in order of date.
pub fn soil_marks(
    textures: &[TextureWater],
    texture: Option<SoilTexture>,
    drained: &[MoistureDay],
    flooded: &[MoistureDay],
) -> Option<SoilMarks> {
    let stated = texture.and_then(|wanted| textures.iter().find(|it| it.texture == wanted));
    let plateau = drainage_plateau(drained);
    let full = flooded_level(flooded);
    let of = |rest: Rest, field_capacity: f64, basis| {
        let saturation = full.or(rest.saturation).filter(|&it| it > field_capacity + AIR_MIN);
        let wilting_point = rest.wilting_point;
        (wilting_point < field_capacity).then_some(SoilMarks {
            wilting_point,
            field_capacity,
            saturation,
            basis,
        })
    };
    match (stated, plateau) {
        (Some(table), Some(plateau)) if !is_water_table(plateau, full.or(table.saturation)) => {
            of(Rest::of(table), plateau, MarksBasis::OwnRecord)
        }
        (Some(table), _) => of(Rest::of(table), middle(table.field_capacity), MarksBasis::Texture),
        (None, Some(plateau)) => {
            let rest = Rest::near(textures, plateau, drained)?;
            if is_water_table(plateau, full.or(rest.saturation)) {
                return None;
            }
            of(rest, plateau, MarksBasis::NearTextures)
        }
        (None, None) => None,
    }
}

/// Whether no texture of the table is waterlogged at this moisture, m³/m³; `false` where one has no
/// saturation.
pub fn is_aired_on_any(textures: &[TextureWater], moisture: f64) -> bool {
    let is_aired = |table: &TextureWater| {
        table.saturation.is_some_and(|saturation| moisture <= saturation - AIR_MIN)
    };
    !textures.is_empty() && textures.iter().all(is_aired)
}

/// The marks that a plateau does not show.
struct Rest {
    wilting_point: f64,
    saturation: Option<f64>,
}

impl Rest {
    fn of(table: &TextureWater) -> Self {
        Self { wilting_point: middle(table.wilting_point), saturation: table.saturation }
    }

    /// Means of the textures whose field capacity lies near the plateau; of the nearest where none
    /// does. Textures of like field capacity differ much in wilting point, so the driest level on
    /// record caps it: roots had water there.
    fn near(textures: &[TextureWater], plateau: f64, drained: &[MoistureDay]) -> Option<Self> {
        let distance = |it: &TextureWater| (middle(it.field_capacity) - plateau).abs();
        let nearest = textures.iter().map(distance).min_by(f64::total_cmp)?;
        let near: Vec<Self> = textures
            .iter()
            .filter(|it| distance(it) <= nearest.max(NEAR_MAX))
            .map(Self::of)
            .collect();
        let mean = |values: Vec<f64>| {
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        let mut moisture: Vec<f64> = drained.iter().map(|&(_, moisture)| moisture).collect();
        moisture.sort_by(f64::total_cmp);
        let wilting_point = mean(near.iter().map(|rest| rest.wilting_point).collect())?;
        Some(Self {
            wilting_point: wilting_point.min(quantile(&moisture, DRIEST_SHARE)?),
            saturation: mean(near.iter().filter_map(|rest| rest.saturation).collect()),
        })
    }
}

/// The level that moisture settles to two days after a wetting: the median of such levels.
///
/// `None` where fewer than three wettings show one, or where the record hardly varies.
pub fn drainage_plateau(days: &[MoistureDay]) -> Option<f64> {
    let mut sorted: Vec<f64> = days.iter().map(|&(_, moisture)| moisture).collect();
    sorted.sort_by(f64::total_cmp);
    if quantile(&sorted, 0.9)? - quantile(&sorted, 0.1)? < SPAN_MIN {
        return None;
    }
    // Only soakings: a shower on dry soil settles wherever it likes.
    let soaked = quantile(&sorted, 0.75)?;
    let mut levels: Vec<f64> = days
        .windows(5)
        .filter(|five| is_consecutive(five))
        .filter_map(|five| {
            let [low, before, peak, first, second] = [0, 1, 2, 3, 4].map(|place| five[place].1);
            let rise = peak - low.min(before);
            let settles = first < peak && second <= first;
            (rise >= WETTING_RISE_MIN && peak >= soaked && peak >= before && settles)
                .then_some(second)
        })
        .collect();
    levels.sort_by(f64::total_cmp);
    if levels.len() < PLATEAUS_MIN { None } else { quantile(&levels, 0.5) }
}

/// Linear between order statistics; `None` of nothing. `sorted` rises.
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share.clamp(0.0, 1.0) * last as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 <= place <= last"
    )]
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    let between = place - place.floor();
    Some(sorted[below] * (1.0 - between) + sorted[above] * between)
}

/// A plateau just below saturation is a water table, not drained soil.
fn is_water_table(plateau: f64, saturation: Option<f64>) -> bool {
    saturation.is_some_and(|saturation| plateau > saturation - AIR_MIN)
}

fn flooded_level(flooded: &[MoistureDay]) -> Option<f64> {
    let mut sorted: Vec<f64> = flooded.iter().map(|&(_, moisture)| moisture).collect();
    sorted.sort_by(f64::total_cmp);
    if sorted.len() < FLOODED_DAYS_MIN { None } else { quantile(&sorted, 0.5) }
}

fn is_consecutive(days: &[MoistureDay]) -> bool {
    days.windows(2).all(|pair| pair[0].0.tomorrow().is_ok_and(|next| next == pair[1].0))
}

fn middle(range: [f64; 2]) -> f64 {
    f64::midpoint(range[0], range[1])
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    fn textures() -> Vec<TextureWater> {
        serde_json::from_value(serde_json::json!([
            {"texture": "sandy_loam", "field_capacity": [0.16, 0.20],
             "wilting_point": [0.07, 0.09], "saturation": 0.45, "source": "test"},
            {"texture": "loam", "field_capacity": [0.26, 0.30],
             "wilting_point": [0.13, 0.15], "saturation": 0.46, "source": "test"},
        ]))
        .unwrap()
    }

    fn days(values: impl IntoIterator<Item = f64>) -> Vec<MoistureDay> {
        Date::constant(2026, 1, 1).series(1.day()).zip(values).collect()
    }

    /// Soaked every ten days, settling on 0.27, drying to 0.18.
    fn drained_record() -> Vec<MoistureDay> {
        let cycle = [0.38, 0.29, 0.27, 0.26, 0.25, 0.24, 0.22, 0.21, 0.19, 0.18];
        days(cycle.into_iter().cycle().take(120))
    }

    #[test]
    fn the_plateau_is_what_soakings_settle_to() {
        let plateau = drainage_plateau(&drained_record()).unwrap();
        assert!((plateau - 0.27).abs() < 1e-9, "{plateau}");
    }

    #[test]
    fn a_record_that_was_wet_all_year_has_no_plateau() {
        assert_eq!(drainage_plateau(&days([0.44, 0.43, 0.45].into_iter().cycle().take(300))), None);
        let swamp = days([0.44, 0.43, 0.43, 0.37].into_iter().cycle().take(300));
        let marks = soil_marks(&textures(), Some(SoilTexture::Loam), &swamp, &[]).unwrap();
        assert_eq!(marks.basis, MarksBasis::Texture);
    }

    #[test]
    fn the_own_record_goes_before_texture() {
        let marks =
            soil_marks(&textures(), Some(SoilTexture::SandyLoam), &drained_record(), &[]).unwrap();
        assert_eq!(marks.basis, MarksBasis::OwnRecord);
        assert!((marks.field_capacity - 0.27).abs() < 1e-9);
        assert!((marks.wilting_point - 0.08).abs() < 1e-9);
    }

    #[test]
    fn without_a_texture_those_near_give_the_rest() {
        let marks = soil_marks(&textures(), None, &drained_record(), &[]).unwrap();
        assert_eq!(marks.basis, MarksBasis::NearTextures);
        assert!((marks.wilting_point - 0.14).abs() < 1e-9, "loam's");
        assert_eq!(marks.saturation, Some(0.46));
    }

    #[test]
    fn a_guessed_wilting_point_lies_no_higher_than_the_driest_days() {
        let mut record = drained_record();
        for day in record.iter_mut().filter(|(date, _)| date.month() == 3) {
            day.1 -= 0.12;
        }
        let marks = soil_marks(&textures(), None, &record, &[]).unwrap();
        assert!(marks.wilting_point < 0.08, "{marks:?}");
        let stated = soil_marks(&textures(), Some(SoilTexture::Loam), &record, &[]).unwrap();
        assert!((stated.wilting_point - 0.14).abs() < 1e-9, "a stated texture keeps its own");
    }

    #[test]
    fn what_no_texture_holds_too_wet_is_aired_whatever_the_texture() {
        assert!(is_aired_on_any(&textures(), 0.39));
        assert!(!is_aired_on_any(&textures(), 0.41));
        assert!(!is_aired_on_any(&[], 0.1));
    }

    #[test]
    fn without_texture_and_plateau_nothing_is_known() {
        assert_eq!(soil_marks(&textures(), None, &days([0.2, 0.21]), &[]), None);
        assert_eq!(soil_marks(&[], None, &drained_record(), &[]), None);
    }

    #[test]
    fn days_under_water_show_saturation() {
        let flooded = days(std::iter::repeat_n(0.52, 30));
        let marks = soil_marks(&textures(), Some(SoilTexture::Loam), &[], &flooded).unwrap();
        assert_eq!(marks.saturation, Some(0.52));
        assert_eq!(marks.is_waterlogged(0.48), Some(true));
        assert_eq!(marks.is_waterlogged(0.46), Some(false));
    }

    #[test]
    fn a_gap_of_a_day_is_no_drainage() {
        let mut record = drained_record();
        record.retain(|(date, _)| date.day() % 5 != 0);
        assert_eq!(drainage_plateau(&record), None);
    }
}
