//! What is too thin, or missing, to advise on.

use jiff::civil::Date;
use plotwise_config::text::Text;

use super::{Gap, SiteProfile};
use crate::pollution::PollutionClass;

/// Judged days of moisture that a plot must have, unless people said how it drains. Our choice: a
/// month sees some rain in most places.
pub const JUDGED_DAYS_MIN: u32 = 30;

/// Share of the window's days with moisture that a record must have, unless people said how the plot
/// drains: a month of one season says nothing about the others. Our choice.
pub const COVERAGE_MIN: f64 = 0.2;

/// Above this share of flagged readings of moisture the record is not believed. Our choice.
pub const FLAGGED_SHARE_MAX: f64 = 0.5;

/// After this many silent days the reader is told. Our choice.
pub const SILENT_DAYS_MAX: i32 = 60;

impl SiteProfile {
    /// What is too thin or missing, most pressing first.
    pub fn gaps(&self) -> Vec<Gap> {
        let found = [
            joined(self.moisture_gap(), self.silence_gap()),
            self.ph_gap(),
            self.marks_gap(),
            self.contradiction_gap(),
            self.sample_gap(),
        ];
        let mut gaps: Vec<Gap> = found.into_iter().flatten().collect();
        gaps.sort_by_key(|gap| (!gap.is_blocking, !gap.is_blocking_upland));
        gaps
    }

    fn moisture_gap(&self) -> Option<Gap> {
        let days = self.days_judged;
        if self.moisture_flagged_share > FLAGGED_SHARE_MAX {
            let percent = (self.moisture_flagged_share * 100.0).round();
            return Some(Gap {
                quantity: "soil_moisture",
                why: Text::new(
                    format!("土壤水分读数有 {percent} % 不合格，先检查探头"),
                    format!(
                        "{percent} % of the soil moisture readings are flagged: check the probe"
                    ),
                ),
                is_blocking: self.wetness.stated.is_none(),
                is_blocking_upland: true,
            });
        }
        let is_unknown = self.wetness.drainage.is_none();
        let is_short = is_unknown && self.coverage < COVERAGE_MIN;
        if days >= JUDGED_DAYS_MIN && !is_short {
            return None;
        }
        let flooded = self.days_flooded;
        let is_only_flooded = flooded >= JUDGED_DAYS_MIN;
        let why = if is_only_flooded {
            Text::new(
                format!(
                    "有 {flooded} 天的土壤水分是在淹水时测的，看不出排干后是什么样；\
                     排水后的记录只有 {days} 天，至少要 {JUDGED_DAYS_MIN} 天"
                ),
                format!(
                    "{flooded} days of soil moisture were measured under water and say nothing about \
                     the drained field; only {days} days are drained, {JUDGED_DAYS_MIN} are needed"
                ),
            )
        } else if days >= JUDGED_DAYS_MIN {
            let (percent, least) =
                ((self.coverage * 100.0).round(), (COVERAGE_MIN * 100.0).round());
            Text::new(
                format!(
                    "只有 {percent} % 的日子有土壤水分读数，至少要 {least} %，或者先说明这块地排水怎样"
                ),
                format!(
                    "only {percent} % of the days have soil moisture; {least} % are needed, or \
                     somebody's word on how the plot drains"
                ),
            )
        } else {
            Text::new(
                format!("土壤水分只有 {days} 天的记录，至少要 {JUDGED_DAYS_MIN} 天"),
                format!("only {days} days of soil moisture, {JUDGED_DAYS_MIN} are needed"),
            )
        };
        Some(Gap {
            quantity: "soil_moisture",
            why,
            is_blocking: is_unknown && !is_only_flooded,
            is_blocking_upland: is_unknown,
        })
    }

    fn ph_gap(&self) -> Option<Gap> {
        self.soil_ph_median.is_none().then(|| Gap {
            quantity: "soil_ph",
            why: Text::new(
                "没有可用的土壤酸碱度：探头没有读数或土太干，也没有化验",
                "no usable soil pH: no probe reading in moist soil and no laboratory sample",
            ),
            is_blocking: true,
            is_blocking_upland: true,
        })
    }

    fn marks_gap(&self) -> Option<Gap> {
        let is_missing = self.marks.is_none() && self.days_judged >= JUDGED_DAYS_MIN;
        is_missing.then(|| {
            // A record that never came near any texture's saturation was not waterlogged.
            let is_unknown = self.wetness.drainage.is_none() && self.longest_wet_spell.is_none();
            Gap {
                quantity: "soil_texture",
                why: Text::new(
                    "不知道土壤质地，这一年的水分记录也看不出田间持水量，干湿无从判断",
                    "without the soil's texture, and with a record that shows no field capacity, \
                     nobody can say which days were too dry or too wet",
                ),
                is_blocking: false,
                is_blocking_upland: is_unknown,
            }
        })
    }

    fn silence_gap(&self) -> Option<Gap> {
        let as_of = self.soil_moisture_mean?.as_of;
        let silent = days_between(as_of, self.window.1);
        (silent > SILENT_DAYS_MAX).then(|| Gap {
            quantity: "soil_moisture",
            why: Text::new(
                format!("土壤水分 {silent} 天没有新读数（最后一天 {as_of}）"),
                format!("no soil moisture for {silent} days (last on {as_of})"),
            ),
            is_blocking: false,
            is_blocking_upland: false,
        })
    }

    fn contradiction_gap(&self) -> Option<Gap> {
        let (Some(stated), Some(measured)) = (self.wetness.stated, self.wetness.measured) else {
            return None;
        };
        (stated != measured).then(|| {
            let (said, found) = (stated.name(), measured.name());
            Gap {
                quantity: "drainage",
                why: Text::new(
                    format!(
                        "登记的排水是“{}”，水分记录显示“{}”，按差的算；请到田里看一次",
                        said.zh, found.zh
                    ),
                    format!(
                        "drainage is stated as {}, the moisture record shows {}; the worse counts: \
                         have a look in the field",
                        said.en, found.en
                    ),
                ),
                is_blocking: false,
                is_blocking_upland: false,
            }
        })
    }

    fn sample_gap(&self) -> Option<Gap> {
        (self.pollution.class == PollutionClass::Unknown).then(|| Gap {
            quantity: "cadmium",
            why: Text::new(
                "没有土壤重金属化验，不知道土壤污染风险",
                "no laboratory sample of heavy metals: the risk of soil pollution is unknown",
            ),
            is_blocking: false,
            is_blocking_upland: false,
        })
    }
}

/// Two things to say of one quantity, as one: what the first blocks stays blocked.
fn joined(first: Option<Gap>, second: Option<Gap>) -> Option<Gap> {
    match (first, second) {
        (Some(first), Some(second)) => {
            let (one, other) = (&first.why, &second.why);
            let why =
                Text::new(format!("{}；{}", one.zh, other.zh), format!("{}; {}", one.en, other.en));
            Some(Gap { why, ..first })
        }
        (first, second) => first.or(second),
    }
}

fn days_between(from: Date, to: Date) -> i32 {
    (to - from).get_days()
}
