//! How fast surplus water leaves a plot: as people said, and as its record shows.

use plotwise_config::{catalogue::soil::TextureWater, land::Drainage, records::Climate};

use crate::{
    dossier::Dossier,
    soil_water::{MoistureDay, SoilMarks, is_aired_on_any},
};

/// A longest waterlogged spell up to this many days is good drainage. Our choice, after "surplus
/// water is gone within a day".
pub const SPELL_GOOD_DAYS_MAX: u32 = 1;

/// Up to this many days it is moderate; longer is poor. Our choice: root crops are hurt after 48-72 h
/// without air.
pub const SPELL_MODERATE_DAYS_MAX: u32 = 3;

/// A record must have this many judged days before it may say "good" or "moderate". Our choice.
pub const WETNESS_DAYS_MIN: usize = 60;

/// On this many days rain or moisture must have put the drainage to the test. Our choice.
pub const TESTED_DAYS_MIN: usize = 3;

/// Rain of a day that tests drainage, mm. Our choice: the Chinese grade "heavy rain" starts here.
const HEAVY_RAIN_MM: f64 = 25.0;

/// Above these shares of too wet days drainage is no better than moderate, and poor. Our choice: where
/// the surplus has not left on every fourth day, it does not leave within a day.
const TOO_WET_SHARES: [f64; 2] = [0.25, 0.5];

/// How a drainage class is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WetnessBasis {
    /// Waterlogged spells of its own record.
    Measured,
    /// What people said.
    Stated,
}

/// How fast surplus water leaves, as said and as measured outside flooded spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wetness {
    /// The class that counts: the worse of the two below; `None` where neither is known.
    pub drainage: Option<Drainage>,
    /// Which of the two decided.
    pub basis: Option<WetnessBasis>,
    /// As people said.
    pub stated: Option<Drainage>,
    /// As measured.
    pub measured: Option<Drainage>,
}

impl Wetness {
    /// Measurements tighten what was said and never loosen it.
    pub fn of(stated: Option<Drainage>, measured: Option<Drainage>) -> Self {
        let basis = match (stated, measured) {
            (None, None) => None,
            (Some(stated), Some(measured)) if stated >= measured => Some(WetnessBasis::Stated),
            (Some(_), None) => Some(WetnessBasis::Stated),
            (_, Some(_)) => Some(WetnessBasis::Measured),
        };
        Self { drainage: stated.max(measured), basis, stated, measured }
    }

    /// Whether both are known and differ: shown to the reader.
    pub fn is_contradiction(&self) -> bool {
        matches!((self.stated, self.measured), (Some(stated), Some(measured)) if stated != measured)
    }
}

/// Longest run of consecutive judged days with too little air in the soil; `None` where nothing was
/// judged or no saturation is known. A day without data ends a run.
pub(super) fn longest_spell(judged: &[MoistureDay], marks: &SoilMarks) -> Option<u32> {
    let mut longest = 0_u32;
    let mut run = 0_u32;
    let mut before = None;
    for &(date, moisture) in judged {
        let follows = before.is_some_and(|before: jiff::civil::Date| {
            before.tomorrow().is_ok_and(|next| next == date)
        });
        let is_waterlogged = marks.is_waterlogged(moisture)?;
        run = match (is_waterlogged, follows) {
            (false, _) => 0,
            (true, true) => run + 1,
            (true, false) => 1,
        };
        longest = longest.max(run);
        before = Some(date);
    }
    before.map(|_| longest)
}

/// 0 where the texture is unknown, but the record never came near any texture's saturation.
pub(super) fn dry_on_any(judged: &[MoistureDay], textures: &[TextureWater]) -> Option<u32> {
    let wettest = judged.iter().map(|&(_, moisture)| moisture).max_by(f64::total_cmp)?;
    is_aired_on_any(textures, wettest).then_some(0)
}

/// The drainage class from what was said and the longest waterlogged spell, days.
pub(super) fn wetness(
    dossier: &Dossier,
    climate: &Climate,
    judged: &[MoistureDay],
    marks: Option<&SoilMarks>,
    spell_days: Option<u32>,
) -> Wetness {
    let measured = match spell_days {
        Some(days) if days > SPELL_MODERATE_DAYS_MAX => Some(Drainage::Poor),
        // A dry year shows no waterlogging on any land.
        Some(_) if judged.len() < WETNESS_DAYS_MIN || !is_tested(judged, climate, marks) => None,
        Some(days) => {
            let by_spell =
                if days > SPELL_GOOD_DAYS_MAX { Drainage::Moderate } else { Drainage::Good };
            Some(by_spell.max(by_surplus(judged, marks)))
        }
        None => None,
    };
    Wetness::of(dossier.plot.drainage, measured)
}

/// By how often surplus water has not left, though the soil keeps some air.
fn by_surplus(judged: &[MoistureDay], marks: Option<&SoilMarks>) -> Drainage {
    let is_wet = |&&(_, moisture): &&MoistureDay| {
        marks.is_some_and(|marks| marks.is_too_wet(moisture) == Some(true))
    };
    let share = judged.iter().filter(is_wet).count() as f64 / judged.len().max(1) as f64;
    match share {
        share if share > TOO_WET_SHARES[1] => Drainage::Poor,
        share if share > TOO_WET_SHARES[0] => Drainage::Moderate,
        _ => Drainage::Good,
    }
}

fn is_tested(judged: &[MoistureDay], climate: &Climate, marks: Option<&SoilMarks>) -> bool {
    let soaked = judged
        .iter()
        .filter(|&&(_, moisture)| marks.is_some_and(|marks| moisture >= marks.field_capacity))
        .count();
    let heavy = climate
        .days
        .iter()
        .filter(|day| day.rain >= HEAVY_RAIN_MM)
        .filter(|day| judged.binary_search_by_key(&day.date, |&(date, _)| date).is_ok())
        .count();
    soaked >= TESTED_DAYS_MIN || heavy >= TESTED_DAYS_MIN
}
