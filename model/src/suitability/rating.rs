//! One factor of the land against one crop.

use plotwise_config::{
    catalogue::crop::{Borders, Crop, Factor, WaterHabit, WordClasses},
    land::{Drainage, LandType, SoilTexture, Water},
    text::Text,
};

use super::{LandInput, Rating};
use crate::{
    advice::Suitability,
    words::{month_day, number},
};

/// A wet spell longer than this rots what swells in the ground and costs every other upland crop
/// dearly, days. Our judgement: root crops are hurt after 48-72 h without air.
const WET_SPELL_DAYS_MAX: f64 = 3.0;

/// Shares of the crop's days with less water than it takes freely, above which the class falls.
/// Ours: FAO-56 gives the border of a day, no paper the share of a season. Drought costs yield and is
/// never a veto: it differs between years and can be watered.
const DRY_SHARES: [f64; 2] = [0.25, 0.5];

/// A crop's span must have this many judged days to speak of drought. Our choice.
const DROUGHT_DAYS_MIN: usize = 30;

/// What came of a factor.
pub(super) enum Verdict {
    /// A class.
    Rated(Box<Rating>),
    /// The crop has borders, the plot no figure.
    Unknown,
    /// Nothing with a source says what the crop wants.
    WithoutBorder,
}

/// Every factor, the one that decides most first.
pub(super) fn verdicts(crop: &Crop, land: &LandInput<'_>) -> Vec<(Factor, Verdict)> {
    let wants = &crop.requirements;
    let temperature = land.window.as_ref().and_then(|window| window.mean_temperature_c);
    let mut verdicts = vec![
        (Factor::Drainage, drainage(crop, land)),
        (Factor::SoilPh, numeric(crop, Factor::SoilPh, wants.soil_ph.as_ref(), land.soil_ph)),
        (Factor::SoilTexture, texture(crop, land)),
        (
            Factor::Temperature,
            numeric(crop, Factor::Temperature, wants.temperature_c.as_ref(), temperature),
        ),
        (
            Factor::Salinity,
            numeric(crop, Factor::Salinity, wants.salinity_ds_m.as_ref(), land.ece_ds_m),
        ),
        (
            Factor::SoilDepth,
            numeric(crop, Factor::SoilDepth, wants.soil_depth_cm.as_ref(), land.soil_depth_cm),
        ),
        (
            Factor::Slope,
            numeric(crop, Factor::Slope, wants.slope_percent.as_ref(), land.slope_percent),
        ),
        (Factor::CycleLength, cycle_length(crop, land)),
        (Factor::Drought, drought(crop, land)),
    ];
    if crop.water_habit == WaterHabit::Aquatic {
        verdicts.insert(0, (Factor::Flooding, flooding(land)));
    }
    verdicts
}

/// By the catalogue's words and by what standing water does to the crop: the worse of the two, so that
/// a measured spell never reads better than the words for the same land.
fn drainage(crop: &Crop, land: &LandInput<'_>) -> Verdict {
    let classes = crop.requirements.drainage.as_ref();
    let by_words = classes.zip(land.drainage).map(|(classes, drainage)| {
        let mut rating = of_words(crop, Factor::Drainage, classes, drainage, Drainage::name);
        // What is shown of wetness is what was measured, where something was.
        if let Some(days) = land.wet_spell_days {
            let days = number(days, 0);
            rating.shown = Text::new(
                format!("{}，最长渍水 {days} 天", rating.shown.zh),
                format!("{}, longest waterlogged spell {days} days", rating.shown.en),
            );
        }
        rating
    });
    match (by_words, standing_water(crop, land)) {
        (Some(words), Some(standing)) if words.class > standing.class => {
            Verdict::Rated(Box::new(words))
        }
        (_, Some(standing)) => Verdict::Rated(Box::new(standing)),
        (Some(words), None) => Verdict::Rated(Box::new(words)),
        (None, None) if classes.is_some() => Verdict::Unknown,
        (None, None) => Verdict::WithoutBorder,
    }
}

/// An upland crop on land where water stands, by its own record or by what was said of it.
fn standing_water(crop: &Crop, land: &LandInput<'_>) -> Option<Rating> {
    let measured = land.wet_spell_days.filter(|&days| days > WET_SPELL_DAYS_MAX);
    let is_poor = land.drainage == Some(Drainage::Poor);
    if crop.water_habit == WaterHabit::Aquatic || (measured.is_none() && !is_poor) {
        return None;
    }
    let is_tuber = crop.water_habit == WaterHabit::UplandTuber;
    let (class, points) = if is_tuber { (Suitability::N, 20.0) } else { (Suitability::S3, 45.0) };
    let (shown, wanted) = measured.map_or_else(
        || (Drainage::Poor.name(), Drainage::Good.name()),
        |days| {
            let (days, most) = (number(days, 0), number(WET_SPELL_DAYS_MAX, 0));
            (
                Text::new(
                    format!("实测最长渍水 {days} 天"),
                    format!("measured: {days} days of waterlogging on end"),
                ),
                Text::new(format!("不超过 {most} 天"), format!("at most {most} days")),
            )
        },
    );
    Some(Rating {
        factor: Factor::Drainage,
        class,
        points,
        value: measured,
        shown,
        unit: if measured.is_some() { "d" } else { "" },
        wanted,
        is_veto: is_tuber,
        source:
            "Plotwise's choice: roots are hurt after 48-72 h without air, and what swells in the \
                 ground rots"
                .to_owned(),
    })
}

/// Whether water can be kept standing on the land, for crops that grow in it.
fn flooding(land: &LandInput<'_>) -> Verdict {
    let (class, points, shown) = match (land.land_type, land.water) {
        (LandType::Paddy, Some(Water::Drained)) => {
            (Suitability::S3, 45.0, Text::new("水田已开沟排水", "a paddy that was drained"))
        }
        (LandType::Paddy, _) => (Suitability::S1, 100.0, Text::new("水田", "a paddy field")),
        (_, Some(Water::Flooded)) => (Suitability::S1, 95.0, Text::new("可淹灌", "flooded")),
        (LandType::Irrigated, _) | (_, Some(Water::Irrigated)) => {
            (Suitability::S3, 45.0, Text::new("能灌溉，没有田埂", "irrigated, without bunds"))
        }
        _ => (Suitability::N, 10.0, Text::new("存不住水", "keeps no water")),
    };
    Verdict::Rated(Box::new(Rating {
        factor: Factor::Flooding,
        class,
        points,
        value: None,
        shown,
        unit: "",
        wanted: Text::new("能保持水层", "water that can be kept standing"),
        is_veto: class == Suitability::N,
        source: "Plotwise: bunds and water make a paddy".to_owned(),
    }))
}

fn texture(crop: &Crop, land: &LandInput<'_>) -> Verdict {
    let Some(classes) = &crop.requirements.soil_texture else { return Verdict::WithoutBorder };
    let Some(texture) = land.soil_texture else { return Verdict::Unknown };
    Verdict::Rated(Box::new(of_words(
        crop,
        Factor::SoilTexture,
        classes,
        texture,
        SoilTexture::name,
    )))
}

/// Whether the season is long enough: by the crop's own border, and always by its shortest cycle.
fn cycle_length(crop: &Crop, land: &LandInput<'_>) -> Verdict {
    if crop.calendar.is_empty() {
        return Verdict::WithoutBorder;
    }
    let Some(window) = &land.window else { return Verdict::Unknown };
    let available = f64::from(window.days_available);
    let shortest = f64::from(window.cycle_days[0]);
    if available >= shortest {
        return numeric(
            crop,
            Factor::CycleLength,
            crop.requirements.cycle_days.as_ref(),
            Some(available),
        );
    }
    let (found, wanted) = (number(available, 0), number(shortest, 0));
    let from = month_day(window.from);
    Verdict::Rated(Box::new(Rating {
        factor: Factor::CycleLength,
        class: Suitability::N,
        points: 20.0,
        value: Some(available),
        shown: Text::new(
            format!("{from} 起只有 {found} 天"),
            format!("{found} days from {from} on"),
        ),
        unit: "d",
        wanted: Text::new(format!("至少 {wanted} 天"), format!("at least {wanted} days")),
        is_veto: true,
        source: crop.source.clone(),
    }))
}

/// Share of the crop's days in the plot's record with less water than the crop takes freely
/// (FAO-56, ch. 8: depletion beyond `p` of the available water).
fn drought(crop: &Crop, land: &LandInput<'_>) -> Verdict {
    let Some(water_use) = &crop.water_use else { return Verdict::WithoutBorder };
    let is_watered = matches!(land.water, Some(Water::Irrigated | Water::Flooded));
    if crop.water_habit == WaterHabit::Aquatic || is_watered {
        return Verdict::WithoutBorder;
    }
    let (Some(marks), Some(window)) = (&land.profile.marks, &land.window) else {
        return Verdict::Unknown;
    };
    let first = window.from.day_of_year();
    let length = i16::try_from(window.cycle_days[1]).unwrap_or(i16::MAX);
    let in_season = land
        .profile
        .judged
        .iter()
        .filter(|(day, _)| (day.day_of_year() - first).rem_euclid(365) < length);
    let border = marks.field_capacity
        - water_use.free_fraction * (marks.field_capacity - marks.wilting_point);
    let (mut days, mut dry) = (0_usize, 0_usize);
    for (_, moisture) in in_season {
        days += 1;
        dry += usize::from(*moisture < border);
    }
    if days < DROUGHT_DAYS_MIN {
        return Verdict::Unknown;
    }
    let share = dry as f64 / days as f64;
    let (class, points) = match share {
        share if share <= DRY_SHARES[0] => (Suitability::S1, 100.0 - 60.0 * share),
        share if share <= DRY_SHARES[1] => {
            (Suitability::S2, 85.0 - 100.0 * (share - DRY_SHARES[0]))
        }
        share => (Suitability::S3, 60.0 - 40.0 * (share - DRY_SHARES[1])),
    };
    let (percent, most) = (number(share * 100.0, 0), number(DRY_SHARES[0] * 100.0, 0));
    Verdict::Rated(Box::new(Rating {
        factor: Factor::Drought,
        class,
        points,
        value: Some(share),
        shown: Text::new(
            format!("生长期 {percent}% 的天数缺水"),
            format!("short of water on {percent} % of the season's days"),
        ),
        unit: "1",
        wanted: Text::new(format!("不超过 {most}%"), format!("at most {most} %")),
        is_veto: false,
        source: format!("{}; shares: Plotwise", water_use.source),
    }))
}

/// A word against the crop's lists; in none of them is N. `name` says a word to people.
fn of_words<T: Copy + PartialEq>(
    crop: &Crop,
    factor: Factor,
    classes: &WordClasses<T>,
    word: T,
    name: fn(T) -> Text,
) -> Rating {
    let (class, points) = if classes.s1.contains(&word) {
        (Suitability::S1, 100.0)
    } else if classes.s2.contains(&word) {
        (Suitability::S2, 72.5)
    } else if classes.s3.contains(&word) {
        (Suitability::S3, 50.0)
    } else {
        (Suitability::N, 20.0)
    };
    let wanted: Vec<Text> = classes.s1.iter().map(|&word| name(word)).collect();
    let zh: Vec<&str> = wanted.iter().map(|text| text.zh.as_str()).collect();
    let en: Vec<&str> = wanted.iter().map(|text| text.en.as_str()).collect();
    Rating {
        factor,
        class,
        points,
        value: None,
        shown: name(word),
        unit: "",
        wanted: Text::new(zh.join("、"), en.join(", ")),
        is_veto: class == Suitability::N,
        source: classes.source.clone().unwrap_or_else(|| crop.source.clone()),
    }
}

/// A number against borders.
fn numeric(crop: &Crop, factor: Factor, borders: Option<&Borders>, value: Option<f64>) -> Verdict {
    let Some(borders) = borders else { return Verdict::WithoutBorder };
    let Some(value) = value.filter(|value| value.is_finite()) else { return Verdict::Unknown };
    let below = borders.lower.map_or((Suitability::S1, 100.0), |[s3, s2, s1]| {
        class_of(value, [s3, s2, s1], |value, border| value >= border)
    });
    let above = borders.upper.map_or((Suitability::S1, 100.0), |[s1, s2, s3]| {
        class_of(value, [s3, s2, s1], |value, border| value <= border)
    });
    let (class, points) = if above.0 > below.0 || above.1 < below.1 { above } else { below };
    let (unit, decimals) = unit_of(factor);
    let shown = |value: f64| number(value, decimals);
    let wanted = match (borders.lower, borders.upper) {
        (Some([.., low]), Some([high, ..])) => {
            let range = format!("{}-{}", shown(low), shown(high));
            Text::new(range.clone(), range)
        }
        (Some([.., low]), None) => {
            Text::new(format!("至少 {}", shown(low)), format!("at least {}", shown(low)))
        }
        (None, Some([high, ..])) => {
            Text::new(format!("不超过 {}", shown(high)), format!("at most {}", shown(high)))
        }
        (None, None) => Text::default(),
    };
    let figure = shown(value);
    let shown = match factor {
        Factor::SoilPh => Text::new(format!("pH {figure}"), format!("pH {figure}")),
        Factor::CycleLength => Text::new(format!("{figure} 天"), format!("{figure} days")),
        Factor::Temperature => Text::new(format!("{figure} °C"), format!("{figure} °C")),
        Factor::Slope => Text::new(format!("{figure}%"), format!("{figure} %")),
        Factor::SoilDepth => Text::new(format!("{figure} 厘米"), format!("{figure} cm")),
        _ => Text::new(format!("{figure} {unit}"), format!("{figure} {unit}")),
    };
    Verdict::Rated(Box::new(Rating {
        factor,
        class,
        points,
        value: Some(value),
        shown,
        unit,
        wanted,
        is_veto: class == Suitability::N,
        source: borders.source.clone().unwrap_or_else(|| crop.source.clone()),
    }))
}

/// UCUM unit and decimals worth showing.
const fn unit_of(factor: Factor) -> (&'static str, usize) {
    match factor {
        Factor::SoilPh => ("[pH]", 1),
        Factor::Temperature => ("Cel", 1),
        Factor::Salinity => ("dS/m", 1),
        Factor::SoilDepth => ("cm", 0),
        Factor::Slope => ("%", 0),
        Factor::CycleLength => ("d", 0),
        _ => ("", 2),
    }
}

/// Class and points on one side, from the borders of S3, S2 and S1; a value on a border is inside.
/// Points run in straight lines between borders (Sys et al. 1991: 85, 60, 40).
fn class_of(
    value: f64,
    [s3, s2, s1]: [f64; 3],
    is_inside: impl Fn(f64, f64) -> bool,
) -> (Suitability, f64) {
    // Never asked between equal borders: a value there is inside both or outside both.
    let share = |from: f64, to: f64| (value - from) / (to - from);
    if is_inside(value, s1) {
        (Suitability::S1, 100.0)
    } else if is_inside(value, s2) {
        (Suitability::S2, 60.0 + 25.0 * share(s2, s1))
    } else if is_inside(value, s3) {
        (Suitability::S3, 40.0 + 20.0 * share(s3, s2))
    } else {
        (Suitability::N, 20.0)
    }
}
