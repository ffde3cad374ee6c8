//! Step 6 of advice: what would change the answer.
//!
//! Each candidate change of the land (drained, limed, both) runs through all steps again, the soil class
//! included: lime that eases cadmium's limit tightens arsenic's. It is told for a crop only where it really
//! changes the crop's class, its permission, its tests, or whether it comes first. A price or a buyer that
//! would bring a line to the first place is computed, because prices touch no other step.

mod price;

use plotwise_config::{
    catalogue::{crop::Crop, variety::Variety},
    land::{Drainage, SoilClass},
    reading::QuantityNo,
    records::{Sample, SampleKind},
    text::Text,
};

use crate::{
    advice::{Change, Suitability},
    judged::{CropStanding, Exclusion, Inquiry, Judgement, Line, WhatIf, judge},
    pollution::{Pollution, class_soil},
    safe::SoilSafety,
    words,
};

/// pH that liming aims at: our choice, the upper edge of slightly acid soil.
const LIME_TO: f64 = 6.5;
/// Above this lime is not worth telling.
const LIME_BELOW: f64 = 5.5;
/// One change, run.
pub(crate) struct Scenario<'a> {
    what_if: WhatIf,
    factor: &'static str,
    from: String,
    to: String,
    /// `排水后`, `once drained`.
    lead: Text,
    judgement: Judgement<'a>,
    class: Option<SoilClass>,
}

/// Runs every change that the land leaves open.
pub(crate) fn scenarios<'a>(inquiry: &Inquiry<'a>, class: Option<SoilClass>) -> Vec<Scenario<'a>> {
    let wetness = inquiry.profile.wetness.drainage;
    let drainage = wetness.filter(|drainage| *drainage != Drainage::Good);
    let ph = inquiry.profile.soil_ph_median.map(|figure| figure.value);
    let acid = ph.filter(|ph| *ph <= LIME_BELOW);
    let mut scenarios = Vec::new();
    if let Some(drainage) = drainage {
        let what_if = WhatIf { drainage: Some(Drainage::Good), soil_ph: None };
        let lead = Text::new("开沟排水后", "once drained");
        scenarios.push(run(inquiry, class, what_if, ("drainage", drainage.key(), "drained"), lead));
    }
    let limed = words::number(LIME_TO, 1);
    if let Some(ph) = acid {
        let what_if = WhatIf { drainage: None, soil_ph: Some(LIME_TO) };
        let lead =
            Text::new(format!("施石灰把 pH 调到 {limed} 后"), format!("once limed to pH {limed}"));
        let words = ("soil_ph", &*words::number(ph, 1), &*limed);
        scenarios.push(run(inquiry, class, what_if, words, lead));
    }
    if let (Some(drainage), Some(ph)) = (drainage, acid) {
        let what_if = WhatIf { drainage: Some(Drainage::Good), soil_ph: Some(LIME_TO) };
        let lead = Text::new(
            format!("开沟排水并施石灰把 pH 调到 {limed} 后"),
            format!("once drained and limed to pH {limed}"),
        );
        let from = format!("{}, pH {}", drainage.key(), words::number(ph, 1));
        let to = format!("drained, pH {limed}");
        let words = ("drainage_and_soil_ph", &*from, &*to);
        scenarios.push(run(inquiry, class, what_if, words, lead));
    }
    scenarios
}

fn run<'a>(
    inquiry: &Inquiry<'a>,
    class: Option<SoilClass>,
    what_if: WhatIf,
    (factor, from, to): (&'static str, &str, &str),
    lead: Text,
) -> Scenario<'a> {
    let official = inquiry.dossier.plot.soil_class.as_ref().map(|official| official.value);
    let limed = what_if.soil_ph.map(|ph| pollution_at(inquiry, ph));
    let pollution = limed.as_ref().unwrap_or(&inquiry.profile.pollution);
    let soil = SoilSafety::new(pollution, official);
    let judgement = judge(inquiry, &soil, what_if);
    let class = if limed.is_some() { soil.class } else { class };
    Scenario { what_if, factor, from: from.to_owned(), to: to.to_owned(), lead, judgement, class }
}

/// The soil class if the same values were found at another pH.
fn pollution_at(inquiry: &Inquiry<'_>, ph: f64) -> Pollution {
    let catalogue = inquiry.catalogue;
    let ph_quantity: Option<QuantityNo> = catalogue.quantity_no("soil_ph");
    let is_own_ph = |sample: &&Sample| {
        matches!(sample.kind, SampleKind::Soil { .. }) && Some(sample.quantity) == ph_quantity
    };
    let samples: Vec<Sample> =
        inquiry.dossier.samples.iter().filter(|s| !is_own_ph(s)).cloned().collect();
    let uses = &inquiry.profile.screening_uses;
    class_soil(catalogue.soil_standard(), catalogue.quantities(), &samples, uses, Some(ph))
}

/// What would change a ranked line.
pub(crate) fn changes_of_line(
    base: &Judgement<'_>,
    class: Option<SoilClass>,
    scenarios: &[Scenario<'_>],
    line: &Line<'_>,
) -> Vec<Change> {
    let crop = base.crop_of(line);
    let now = base.span_of(line).evaluation.class;
    let mut changes: Vec<Change> = Vec::new();
    for scenario in scenarios {
        // Both together are told only where neither alone changes anything.
        if scenario.is_combined() && !changes.is_empty() {
            continue;
        }
        let then = scenario.judgement.line(crop.crop, line.variety);
        let effect = match then {
            None => Some(falls_out(scenario, crop.crop)),
            Some(then) => improves(base, class, scenario, crop, now, then),
        };
        changes.extend(effect.map(|effect| scenario.change(&effect)));
    }
    changes.extend(price::price_change(base, line));
    changes.extend(price::buyer_change(base, line));
    changes
}

/// What would let in something that is ruled out.
pub(crate) fn changes_of_excluded(
    ground: &Exclusion<'_>,
    scenarios: &[Scenario<'_>],
    crop: &Crop,
    variety: Option<&Variety>,
) -> Vec<Change> {
    let before = match ground {
        Exclusion::Land(evaluation) => Some(evaluation.class),
        _ => None,
    };
    let mut changes: Vec<Change> = Vec::new();
    for scenario in scenarios {
        if scenario.is_combined() && !changes.is_empty() {
            continue;
        }
        if let Some(then) = scenario.judgement.line(crop, variety) {
            let class = scenario.judgement.span_of(then).evaluation.class;
            changes.push(scenario.change(&comes_in(scenario, crop, before, class)));
        }
    }
    changes
}

impl Scenario<'_> {
    fn is_combined(&self) -> bool {
        self.what_if.drainage.is_some() && self.what_if.soil_ph.is_some()
    }

    fn change(&self, effect: &Text) -> Change {
        Change {
            factor: self.factor.to_owned(),
            from: self.from.clone(),
            to: self.to.clone(),
            effect: Text::new(
                format!("{}，{}。", self.lead.zh, effect.zh),
                format!("{}, {}.", capital(&self.lead.en), effect.en),
            ),
        }
    }
}

fn falls_out(scenario: &Scenario<'_>, crop: &Crop) -> Text {
    let name = &crop.name;
    let out = scenario.judgement.out.iter().find(|out| out.crop.key == crop.key);
    match out.map(|out| &out.ground) {
        Some(Exclusion::Land(evaluation)) => {
            let rating = evaluation.ratings.first();
            let figure = rating.map(|rating| {
                words::figure_and_wanted(rating.factor, &rating.shown, &rating.wanted)
            });
            let figure = figure.unwrap_or_default();
            Text::new(
                format!("{}变为 N（不适宜）：{}", name.zh, figure.zh),
                format!("{} becomes N (not suitable): {}", name.en, figure.en),
            )
        }
        Some(Exclusion::SoilForbids) => Text::new(
            format!("按新的 pH 土壤超过管制值，{}不能再种", name.zh),
            format!(
                "the soil lies above an intervention value of that pH and {} is ruled out",
                name.en
            ),
        ),
        _ => Text::new(format!("{}不能再种", name.zh), format!("{} is ruled out", name.en)),
    }
}

fn improves(
    base: &Judgement<'_>,
    class_before: Option<SoilClass>,
    scenario: &Scenario<'_>,
    crop: &CropStanding<'_>,
    now: Suitability,
    then: &Line<'_>,
) -> Option<Text> {
    let after = scenario.judgement.span_of(then).evaluation.class;
    let (rank, rank_then) =
        (base.rank_of_crop(crop.crop), scenario.judgement.rank_of_crop(crop.crop));
    let mut parts = Vec::new();
    if now != after {
        parts.push(Text::new(
            format!("由 {} 变为 {}", words::class_key(now), words::class_shown(after).zh),
            format!("{} becomes {}", words::class_key(now), words::class_shown(after).en),
        ));
    }
    let was_tested = crop.uses.iter().any(|part| !part.tests.is_empty());
    let standing = scenario.judgement.crop_of(then);
    let is_tested = standing.uses.iter().any(|part| !part.tests.is_empty());
    if scenario.class != class_before && was_tested != is_tested {
        parts.push(if is_tested {
            Text::new(
                "土壤按新的 pH 超过筛选值，产品上市前须检测",
                "the soil lies above a screening value of that pH and produce has to be tested",
            )
        } else {
            Text::new(
                "土壤按新的 pH 低于筛选值，不再要求逐批检测",
                "the soil lies below the screening values of that pH and the test falls away",
            )
        });
    }
    if rank != rank_then && (rank == Some(1) || rank_then == Some(1)) {
        parts.push(place_of(rank_then));
    }
    (!parts.is_empty()).then(|| joined(&parts))
}

fn comes_in(
    scenario: &Scenario<'_>,
    crop: &Crop,
    before: Option<Suitability>,
    after: Suitability,
) -> Text {
    let first = match before {
        Some(before) => Text::new(
            format!(
                "{}由 {} 变为 {}",
                crop.name.zh,
                words::class_key(before),
                words::class_shown(after).zh
            ),
            format!(
                "{} goes from {} to {}",
                crop.name.en,
                words::class_key(before),
                words::class_shown(after).en
            ),
        ),
        None => Text::new(
            format!("{}可以种，{}", crop.name.zh, words::class_shown(after).zh),
            format!("{} is possible, {}", crop.name.en, words::class_shown(after).en),
        ),
    };
    joined(&[first, place_of(scenario.judgement.rank_of_crop(crop))])
}

fn place_of(rank: Option<usize>) -> Text {
    match rank {
        Some(1) => Text::new("排第一", "it comes first"),
        Some(rank) => Text::new(format!("排第 {rank}"), format!("it comes in place {rank}")),
        None => Text::new("不再排名", "it is no longer ranked"),
    }
}

fn joined(parts: &[Text]) -> Text {
    let zh: Vec<&str> = parts.iter().map(|part| part.zh.as_str()).collect();
    let en: Vec<&str> = parts.iter().map(|part| part.en.as_str()).collect();
    Text::new(zh.join("，"), en.join(", "))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
