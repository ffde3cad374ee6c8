//! Step 3 of advice: whether enough is known to rank anything.
//!
//! The site profile knows what it lacks; here a missing soil sample is added, which never stops the ranking
//! but stands among what should be measured.

use plotwise_config::{land::SoilClass, text::Text};

use crate::{advice::MeasureFirst, profile::SiteProfile};

/// What is missing.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// Most pressing first.
    pub(crate) measure_first: Vec<MeasureFirst>,
    /// Whether nothing can be ranked.
    pub(crate) is_too_little: bool,
    /// Whether only crops that stand in water can be: the record was made under water, and says nothing of the
    /// same field drained and ridged.
    pub(crate) is_wet_land_alone: bool,
}

/// Holds the profile's gaps against what advice needs.
///
/// `class`: the soil class that binds, if any.
pub(crate) fn known(profile: &SiteProfile, class: Option<SoilClass>) -> Known {
    let gaps = profile.gaps();
    let is_too_little = gaps.iter().any(|gap| gap.is_blocking);
    let is_wet_land_alone = gaps.iter().any(|gap| gap.is_blocking_upland);
    let mut measure_first: Vec<MeasureFirst> = gaps
        .into_iter()
        .map(|gap| MeasureFirst { quantity: gap.quantity.to_owned(), why: gap.why })
        .collect();
    let is_named = measure_first.iter().any(|missing| missing.quantity == "cadmium");
    if class.is_none() && !is_named {
        measure_first.push(MeasureFirst { quantity: "cadmium".to_owned(), why: soil_sample() });
    }
    Known { measure_first, is_too_little, is_wet_land_alone }
}

fn soil_sample() -> Text {
    Text::new(
        "还没有土壤重金属化验结果。请取 0-20 厘米土样，送实验室测镉、汞、砷、铅、铬和 pH，再决定产品能否食用。",
        "There is no laboratory result for heavy metals in this soil. Take a sample of 0-20 cm and have \
         cadmium, mercury, arsenic, lead, chromium and pH measured before anything is sold as food.",
    )
}
