//! Advice for one plot: the six steps in their order.
//!
//! ```text
//! dossier -> profile -> known enough? --no--> measure this first
//!                            |
//!                           yes -> allowed, safe, suitable, ranked -> the same for each "what if" -> words
//! ```
//!
//! `judged` computes, `explained` and `what_if` put it in words; nothing here
//! decides anything.

use plotwise_config::catalogue::{Catalogue, rule::RuleTopic};

use crate::{
    advice::{
        Advice, Basis, Change, Evidence, Land, ModelReference, PlantingWindow, RankedLine,
        RuledOut, Status,
    },
    dossier::{Dossier, Question, Surroundings},
    explained,
    judged::{Common, Exclusion, Inquiry, Judgement, Line, WhatIf, judge},
    known,
    profile::{SiteProfile, site_profile},
    ranked::versus,
    safe::SoilSafety,
    what_if::{self, Scenario, changes_of_excluded, changes_of_line},
    words,
    yields::LocalMeans,
};

/// The id of plain averages as a model.
pub const LOCAL_MEANS: &str = "local-means";

/// Advises what to plant on one plot.
///
/// `yields`: fitted on the cooperative's harvests as of the same day. `ranked` holds every line that stands;
/// callers show the first few. For many plots of one cooperative make an [`Adviser`] once.
pub fn advise(
    catalogue: &Catalogue,
    surroundings: &Surroundings,
    yields: &LocalMeans,
    dossier: &Dossier,
    question: Question,
) -> Advice {
    Adviser::new(catalogue, surroundings, yields, question).advise(dossier)
}

/// Advises on many plots of one cooperative on one day: what they share is worked out once.
#[derive(Clone, Debug)]
pub struct Adviser<'a> {
    common: Common<'a>,
    question: Question,
}

impl<'a> Adviser<'a> {
    /// Works out what plots share: prices, the mean year, varieties of each crop.
    pub fn new(
        catalogue: &'a Catalogue,
        surroundings: &'a Surroundings,
        yields: &'a LocalMeans,
        question: Question,
    ) -> Self {
        Self { common: Common::new(catalogue, surroundings, yields, question.on), question }
    }

    /// Advises on one plot.
    pub fn advise(&self, dossier: &Dossier) -> Advice {
        let Common { catalogue, surroundings, .. } = self.common;
        let profile = site_profile(catalogue, dossier, &surroundings.climate);
        let official = dossier.plot.soil_class.as_ref().map(|official| official.value);
        let soil = SoilSafety::new(&profile.pollution, official);
        let known = known::known(&profile, soil.class);
        let inquiry = Inquiry::new(&self.common, dossier, &profile);
        let mut judgement = judge(&inquiry, &soil, WhatIf::default());
        let mut advice = Advice {
            plot: dossier.plot.id.to_string(),
            cooperative: dossier.plot.cooperative.to_string(),
            made_at: self.question.made_at.to_string(),
            simulated: surroundings.cooperative.simulated,
            status: Status::MeasureFirst,
            model: ModelReference { id: LOCAL_MEANS.to_owned(), trained_at: None },
            land: land(&inquiry, &profile),
            site: profile.to_site(),
            measure_first: known.measure_first,
            ranked: Vec::new(),
            ruled_out: Vec::new(),
        };
        if known.is_too_little {
            let firm = judgement.out.iter().filter(|out| out.ground.is_firm());
            advice.ruled_out = firm.map(|out| explained::ruled_out(&inquiry, &soil, out)).collect();
            return advice;
        }
        if known.is_wet_land_alone {
            judgement.keep_aquatic();
        }
        let scenarios = what_if::scenarios(&inquiry, soil.class);
        let lines = judgement.lines.iter().enumerate();
        advice.ranked = lines
            .map(|(place, line)| ranked_line(&inquiry, &soil, &judgement, &scenarios, place, line))
            .collect();
        advice.ruled_out = excluded(&inquiry, &soil, &judgement, &scenarios);
        advice.status = match (advice.ranked.is_empty(), known.is_wet_land_alone) {
            (false, _) => Status::Ranked,
            (true, true) => Status::MeasureFirst,
            (true, false) => Status::NothingAllowed,
        };
        advice
    }
}

fn land(inquiry: &Inquiry<'_>, profile: &SiteProfile) -> Land {
    let plot = &inquiry.dossier.plot;
    Land {
        land_type: plot.land_type,
        protection: plot.protection.clone(),
        soil_class: plot.soil_class.as_ref().map(|official| official.value),
        measure: inquiry.measure,
        water: profile.current_water,
        drainage: profile.wetness.drainage,
        disease: inquiry.diseases.iter().map(|(disease, _)| *disease).collect(),
    }
}

fn ranked_line(
    inquiry: &Inquiry<'_>,
    soil: &SoilSafety<'_>,
    judgement: &Judgement<'_>,
    scenarios: &[Scenario<'_>],
    place: usize,
    line: &Line<'_>,
) -> RankedLine {
    let standing = judgement.crop_of(line);
    let span = judgement.span_of(line);
    let versus = versus(judgement, inquiry.common.yields, line);
    let window = span.window.as_ref();
    let crop_name = standing.crop.name.clone();
    RankedLine {
        rank: u32::try_from(place + 1).unwrap_or(u32::MAX),
        crop: standing.crop.key.to_string(),
        variety: line.variety.map(|variety| variety.key.to_string()),
        name: line.variety.map_or_else(|| crop_name.clone(), |variety| variety.name.clone()),
        crop_name,
        suitability: span.evaluation.class,
        limiting_factor: span.evaluation.limiting,
        planting: window.map(|window| PlantingWindow {
            from: words::month_day(window.from),
            to: words::month_day(window.to),
        }),
        order_by: window
            .and_then(|window| window.order_by)
            // A day that has passed helps nobody.
            .filter(|day| *day >= inquiry.common.on)
            .map(words::month_day),
        yield_kg_ha: line.estimate.map(|estimate| estimate.interval),
        margin: line.offer.as_ref().map(|offer| offer.margin.clone()),
        evidence: line.estimate.map_or(Evidence::Envelope, |estimate| estimate.evidence),
        basis: line.estimate.map_or_else(Basis::default, |estimate| estimate.basis),
        novelty: None,
        reasons: explained::reasons(inquiry, soil, judgement, line, &versus),
        warnings: explained::warnings(standing),
        conditions: explained::conditions(inquiry, soil, standing, line),
        would_change: changes_of_line(judgement, soil.class, scenarios, line),
        tied_with: versus.tied_with,
        p_better: versus.p_better,
    }
}

fn excluded(
    inquiry: &Inquiry<'_>,
    soil: &SoilSafety<'_>,
    judgement: &Judgement<'_>,
    scenarios: &[Scenario<'_>],
) -> Vec<RuledOut> {
    let outs = judgement.out.iter().map(|out| {
        let mut ruled_out = explained::ruled_out(inquiry, soil, out);
        ruled_out.would_change = changes_of_excluded(&out.ground, scenarios, out.crop, out.variety);
        if let Exclusion::Rule(rule) = &out.ground
            && let Some(effect) = &rule.would_change
        {
            ruled_out.would_change.push(Change {
                factor: rule.topic.key().to_owned(),
                from: stated(inquiry, rule.topic),
                to: String::new(),
                effect: effect.clone(),
            });
        }
        ruled_out
    });
    outs.collect()
}

/// The plot's own value of what a rule speaks of.
fn stated(inquiry: &Inquiry<'_>, topic: RuleTopic) -> String {
    let plot = &inquiry.dossier.plot;
    match topic {
        RuleTopic::LandType => plot.land_type.key().to_owned(),
        RuleTopic::Protection => {
            plot.protection.iter().map(|p| p.key()).collect::<Vec<_>>().join(", ")
        }
        RuleTopic::SoilClass => {
            plot.soil_class.as_ref().map_or_else(String::new, |class| class.value.key().to_owned())
        }
        RuleTopic::Measure => {
            inquiry.measure.map_or_else(String::new, |measure| measure.key().to_owned())
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests;
