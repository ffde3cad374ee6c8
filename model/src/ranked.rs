//! Step 5 of advice: the order of what is left.
//!
//! Lines that earn something come first, by margin; then crops without a price by class, index and
//! evidence; what would lose money last. On cultivated land whatever would turn it into an orchard comes
//! after all field crops: the law controls that strictly, and a tree's margin in full bearing is no
//! match for next year's. Kilograms of different crops are never compared, those of varieties of one crop are.

use std::{cmp::Ordering, collections::BTreeMap};

use plotwise_config::id::VarietyKey;

use crate::{
    advice::{Evidence, Suitability},
    judged::{Judgement, Line},
    yields::{Comparison, Estimate, LocalMeans},
};

/// Chances between these do not tell two varieties apart.
const TIE: [f64; 2] = [0.2, 0.8];
/// Chances are shown against so many of the best: more than a crop's varieties on any page, so that ties
/// are told from both sides, and few enough to bound the answer.
const COMPARED_MAX: usize = 40;

/// Share of the attainable yield in the middle of each class: land evaluation reads S1 as 80-100 % of it,
/// S2 as 60-80 %, S3 as 40-60 %. That a farm's own S1 land gives the average is our reading.
const CLASS_YIELD: [f64; 3] = [0.9, 0.7, 0.5];
/// What a class adds to the interval on either side, as a share of the expected yield (ours).
const CLASS_RISK: [f64; 3] = [0.0, 0.05, 0.10];

/// The yield that a class leaves of that on well suited land, with its added risk.
pub(crate) fn cost_of_class(mut estimate: Estimate, class: Suitability) -> Estimate {
    let place = match class {
        Suitability::S1 => return estimate,
        Suitability::S2 => 1,
        Suitability::S3 | Suitability::N => 2,
    };
    let factor = CLASS_YIELD[place] / CLASS_YIELD[0];
    let interval = &mut estimate.interval;
    let risk = CLASS_RISK[place] * interval.expected * factor;
    interval.expected *= factor;
    interval.low = (interval.low * factor - risk).max(0.0);
    interval.high = interval.high * factor + risk;
    estimate
}

/// Puts the lines in order.
pub(crate) fn order(judgement: &mut Judgement<'_>) {
    let mut lines = std::mem::take(&mut judgement.lines);
    let crops: Vec<CropMerit> =
        (0..judgement.crops.len()).map(|place| crop_merit(judgement, &lines, place)).collect();
    lines.sort_by(|a, b| {
        let converts = |line: &Line<'_>| judgement.crops[line.place].is_conversion;
        converts(a)
            .cmp(&converts(b))
            .then_with(|| compare_offers(a, b))
            .then_with(|| compare_crops(&crops[a.place], &crops[b.place]))
            .then_with(|| {
                let key = |line: &Line<'_>| &judgement.crops[line.place].crop.key;
                key(a).cmp(key(b))
            })
            .then_with(|| expected(b).total_cmp(&expected(a)))
            .then_with(|| variety_key(a).cmp(&variety_key(b)))
    });
    judgement.lines = lines;
}

/// What a crop without a price is ranked by.
struct CropMerit {
    class: Suitability,
    index: f64,
    evidence: u8,
}

fn crop_merit(judgement: &Judgement<'_>, lines: &[Line<'_>], place: usize) -> CropMerit {
    let own = lines.iter().filter(|line| line.place == place);
    let mut merit = CropMerit { class: Suitability::N, index: 0.0, evidence: u8::MAX };
    for line in own {
        let evaluation = &judgement.span_of(line).evaluation;
        let is_better = evaluation.class < merit.class
            || (evaluation.class == merit.class && evaluation.index > merit.index);
        if is_better {
            merit.class = evaluation.class;
            merit.index = evaluation.index;
        }
        merit.evidence = merit.evidence.min(strength(line.estimate.as_ref()));
    }
    merit
}

/// 0 for the strongest evidence.
fn strength(estimate: Option<&Estimate>) -> u8 {
    match estimate.map(|estimate| estimate.evidence) {
        Some(Evidence::LocalOutcomes) => 0,
        Some(Evidence::Strips) => 1,
        Some(Evidence::Trials) => 2,
        Some(Evidence::Envelope) => 3,
        None => 4,
    }
}

/// What earns, what nobody priced, what loses; within them the higher margin first.
fn compare_offers(a: &Line<'_>, b: &Line<'_>) -> Ordering {
    let margin = |line: &Line<'_>| line.offer.as_ref().map(|offer| offer.margin.per_ha);
    let standing = |margin: Option<f64>| match margin {
        Some(margin) if margin >= 0.0 => 0,
        None => 1,
        Some(_) => 2,
    };
    let (a, b) = (margin(a), margin(b));
    standing(a).cmp(&standing(b)).then_with(|| match (a, b) {
        (Some(a), Some(b)) => b.total_cmp(&a),
        _ => Ordering::Equal,
    })
}

fn compare_crops(a: &CropMerit, b: &CropMerit) -> Ordering {
    a.class
        .cmp(&b.class)
        .then_with(|| b.index.total_cmp(&a.index))
        .then_with(|| a.evidence.cmp(&b.evidence))
}

fn expected(line: &Line<'_>) -> f64 {
    line.estimate.map_or(0.0, |estimate| estimate.interval.expected)
}

fn variety_key<'a>(line: &Line<'a>) -> Option<&'a VarietyKey> {
    line.variety.map(|variety| &variety.key)
}

/// What the data say of one line against the others of its crop.
#[derive(Clone, Debug, Default)]
pub(crate) struct Versus {
    /// Varieties that cannot be told from it, best first.
    pub(crate) tied_with: Vec<String>,
    /// Chance that this one yields more.
    pub(crate) p_better: BTreeMap<String, f64>,
    /// Varieties that there is no comparison with.
    pub(crate) without_comparison: Vec<String>,
}

/// Compares a line with the best others of its crop.
pub(crate) fn versus(judgement: &Judgement<'_>, yields: &LocalMeans, line: &Line<'_>) -> Versus {
    let mut versus = Versus::default();
    let crop = judgement.crop_of(line).crop;
    let (Some(own), Some(means)) = (variety_key(line), yields.crop(&crop.key)) else {
        return versus;
    };
    let others = judgement.lines.iter().filter(|other| other.place == line.place);
    let keys = others.filter_map(variety_key).filter(|key| *key != own);
    for other in keys.take(COMPARED_MAX) {
        match means.compare(own, other) {
            Comparison::Chance(chance) => {
                versus.p_better.insert(other.to_string(), (chance * 100.0).round() / 100.0);
                if (TIE[0]..=TIE[1]).contains(&chance) {
                    versus.tied_with.push(other.to_string());
                }
            }
            Comparison::None => {
                versus.tied_with.push(other.to_string());
                versus.without_comparison.push(other.to_string());
            }
        }
    }
    versus
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advice::{Basis, YieldInterval};

    #[test]
    fn a_lower_class_costs_yield_and_adds_risk() {
        let interval = YieldInterval {
            expected: 30_000.0,
            low: 20_000.0,
            high: 40_000.0,
            level: 0.8,
            calibrated: false,
        };
        let estimate = Estimate { interval, evidence: Evidence::Envelope, basis: Basis::default() };
        let share = |estimate: Estimate| {
            (estimate.interval.high - estimate.interval.low) / estimate.interval.expected
        };
        assert_eq!(cost_of_class(estimate, Suitability::S1), estimate);
        let s2 = cost_of_class(estimate, Suitability::S2);
        let s3 = cost_of_class(estimate, Suitability::S3);
        assert!(s3.interval.expected < s2.interval.expected);
        assert!(s2.interval.expected < estimate.interval.expected);
        assert!(share(s3) > share(s2) && share(s2) > share(estimate));
    }
}
