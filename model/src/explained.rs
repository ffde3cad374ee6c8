//! Step 6 of advice: what speaks for a line, what against, and what has to be done.
//!
//! Every sentence is computed from the plot's own figure and the border it is held against.

mod conditions;
mod excluded;

use plotwise_config::{
    catalogue::{
        crop::Factor,
        variety::{Resistance, Variety},
    },
    land::SoilClass,
    records::Organ,
    text::Text,
};

use crate::{
    advice::{Evidence, Reason, Speaks, Suitability},
    judged::{CropStanding, Inquiry, Judgement, Line},
    ranked::Versus,
    safe::{ProduceTest, SoilSafety, UPTAKE_HIGH, UPTAKE_LOW},
    suitability::Rating,
    words,
};
pub(crate) use conditions::conditions;
pub(crate) use excluded::{ruled_out, warnings};

/// Factors that are named even where they are S1: what growers ask about first.
const NAMED_ALWAYS: [Factor; 4] =
    [Factor::Drainage, Factor::Flooding, Factor::SoilPh, Factor::SoilTexture];
fn reason(speaks: Speaks, factor: &str, text: Text) -> Reason {
    Reason { speaks, factor: factor.to_owned(), text }
}

/// What speaks for and against a line; for first.
pub(crate) fn reasons(
    inquiry: &Inquiry<'_>,
    soil: &SoilSafety<'_>,
    judgement: &Judgement<'_>,
    line: &Line<'_>,
    versus: &Versus,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    reasons.extend(margin_reason(
        judgement.crop_of(line),
        line,
        !inquiry.common.surroundings.prices.is_empty(),
    ));
    reasons.extend(land_reasons(inquiry, judgement, line));
    reasons.extend(standing_reason(inquiry, judgement.crop_of(line)));
    reasons.push(evidence_reason(line));
    reasons.extend(comparison_reasons(versus, inquiry));
    reasons.extend(
        line.variety
            .into_iter()
            .flat_map(|variety| variety_reasons(inquiry, judgement.crop_of(line), variety)),
    );
    reasons.extend(soil_reasons(inquiry, soil, judgement.crop_of(line)));
    reasons.sort_by_key(|reason| reason.speaks == Speaks::Against);
    reasons
}

fn land_reasons(inquiry: &Inquiry<'_>, judgement: &Judgement<'_>, line: &Line<'_>) -> Vec<Reason> {
    let evaluation = &judgement.span_of(line).evaluation;
    let mut reasons: Vec<Reason> = evaluation
        .ratings
        .iter()
        .filter(|rating| rating.class != Suitability::S1 || NAMED_ALWAYS.contains(&rating.factor))
        .map(rating_reason)
        .collect();
    if inquiry.profile.wetness.is_contradiction()
        && let (Some(stated), Some(measured)) =
            (inquiry.profile.wetness.stated, inquiry.profile.wetness.measured)
    {
        let (stated, measured) = (stated.name(), measured.name());
        reasons.push(reason(
            Speaks::Against,
            Factor::Drainage.key(),
            Text::new(
                format!("登记的排水为{}，实测为{}，按差的算", stated.zh, measured.zh),
                format!(
                    "drainage was stated as {} and measured as {}: the worse one counts",
                    stated.en, measured.en
                ),
            ),
        ));
    }
    if !evaluation.unknown.is_empty() {
        let names: Vec<Text> = evaluation.unknown.iter().map(|factor| factor.name()).collect();
        let names = words::list(&names);
        reasons.push(reason(
            Speaks::Against,
            "unknown",
            Text::new(
                format!("没有数据、未计入：{}", names.zh),
                format!("not known and not counted: {}", names.en),
            ),
        ));
    }
    reasons
}

fn rating_reason(rating: &Rating) -> Reason {
    let figure = words::figure_and_wanted(rating.factor, &rating.shown, &rating.wanted);
    if rating.class == Suitability::S1 {
        return reason(Speaks::For, rating.factor.key(), figure);
    }
    let class = words::class_shown(rating.class);
    let text =
        Text::new(format!("{}：{}", figure.zh, class.zh), format!("{}: {}", figure.en, class.en));
    reason(Speaks::Against, rating.factor.key(), text)
}

fn margin_reason(crop: &CropStanding<'_>, line: &Line<'_>, has_prices: bool) -> Option<Reason> {
    let Some(offer) = &line.offer else {
        if !has_prices {
            return None;
        }
        let text = if !crop.has_prices {
            Text::new(
                "合作社没有登记收购价，算不出收益，排在有价格的作物之后",
                "the cooperative has set no price, so it comes after crops that have one",
            )
        } else if line.estimate.is_none() {
            Text::new(
                "没有产量依据，算不出收益，排在有价格的作物之后",
                "nothing supports a yield, so no margin can be computed",
            )
        } else {
            Text::new(
                "没有买家按它的用途收购，算不出收益",
                "no buyer asks for what it is grown for, so no margin can be computed",
            )
        };
        return Some(reason(Speaks::Against, "margin", text));
    };
    let expected = line.estimate?.interval.expected;
    let margin = words::number(offer.margin.per_mu, 0);
    let price = words::number(offer.paid_per_kg, 2);
    let sold = offer.margin.sold_as.name();
    let yielded = words::yield_shown(expected);
    let (cost_zh, cost_en) = match offer.cost_per_ha {
        Some(cost) => {
            let cost = words::number(cost / crate::margin::MU_A_HECTARE, 0);
            (format!("减成本 {cost} 元/亩"), format!("less {cost} a mu of cost"))
        }
        None => ("没有登记成本".to_owned(), "no cost was stated".to_owned()),
    };
    let currency = &offer.margin.currency;
    let unit = if currency == "CNY" { "元" } else { currency };
    let text = Text::new(
        format!(
            "预计收益 {margin} {unit}/亩：{}每公斤鲜重 {price} {unit}，预计 {}，{cost_zh}",
            sold.zh, yielded.zh
        ),
        format!(
            "expected margin {margin} {currency}/mu: sold as {} at {price} a kg of fresh weight, {} \
             expected, {cost_en}",
            sold.en, yielded.en
        ),
    );
    let speaks = if offer.margin.per_ha > 0.0 { Speaks::For } else { Speaks::Against };
    Some(reason(speaks, "margin", text))
}

/// What stands for years has to be cleared first.
fn standing_reason(inquiry: &Inquiry<'_>, crop: &CropStanding<'_>) -> Option<Reason> {
    let standing = inquiry.standing.as_ref()?;
    let is_other = standing.season.crop != crop.crop.key;
    if standing.free_from.is_some() || !is_other {
        return None;
    }
    let key = standing.season.crop.as_str();
    let name = standing.crop.map_or_else(|| Text::new(key, key), |crop| crop.name.clone());
    let text = Text::new(
        format!("地里还有{}，要先清园", name.zh),
        format!("{} stands there and would have to be cleared", name.en),
    );
    Some(reason(Speaks::Against, "season", text))
}

fn evidence_reason(line: &Line<'_>) -> Reason {
    let Some(estimate) = &line.estimate else {
        return reason(
            Speaks::Against,
            "harvests",
            Text::new(
                "没有产量记录，也没有区域产量数据，不给出产量",
                "no harvest, trial or regional yield is known: no yield is stated",
            ),
        );
    };
    let interval = estimate.interval;
    let range = words::range_shown(interval.low, interval.high);
    let basis = estimate.basis;
    let (speaks, source) = match estimate.evidence {
        Evidence::LocalOutcomes | Evidence::Strips => {
            let what = if estimate.evidence == Evidence::Strips {
                Text::new("对比条", "strips")
            } else {
                Text::new("收成", "harvests")
            };
            let speaks = if basis.households >= 2 { Speaks::For } else { Speaks::Against };
            let text = Text::new(
                format!(
                    "依据本社 {} 次{}，{} 户，{} 个村季",
                    basis.harvests, what.zh, basis.households, basis.environments
                ),
                format!(
                    "basis: {} {} here, {} households, {} village seasons",
                    basis.harvests, what.en, basis.households, basis.environments
                ),
            );
            (speaks, text)
        }
        Evidence::Trials => (
            Speaks::Against,
            Text::new(
                "本社没有种过，只有外地官方试验",
                "never harvested here: official trials elsewhere only",
            ),
        ),
        Evidence::Envelope => (
            Speaks::Against,
            Text::new(
                "本社没有种过，也没有官方试验，只有区域一般产量",
                "never harvested here and no official trial: the region's usual yield only",
            ),
        ),
    };
    let text = Text::new(
        format!("10 季中约 8 季在 {}；{}", range.zh, source.zh),
        format!("in about 8 of 10 seasons {}; {}", range.en, source.en),
    );
    reason(speaks, "harvests", text)
}

fn comparison_reasons(versus: &Versus, inquiry: &Inquiry<'_>) -> Vec<Reason> {
    let name = |key: &String| {
        let variety = inquiry.catalogue.variety(key);
        variety.map_or_else(|| Text::new(key, key), |variety| variety.name.clone())
    };
    let mut reasons = Vec::new();
    let (blind, close): (Vec<&String>, Vec<&String>) =
        versus.tied_with.iter().partition(|key| versus.without_comparison.contains(key));
    if !close.is_empty() {
        let names: Vec<Text> = close
            .iter()
            .map(|key| {
                let chance = versus.p_better.get(*key).copied().unwrap_or(0.5);
                let (name, chance) = (name(key), words::share_percent(chance));
                Text::new(format!("{}（{chance}）", name.zh), format!("{} ({chance})", name.en))
            })
            .collect();
        let names = words::list(&names);
        reasons.push(reason(
            Speaks::Against,
            "tie",
            Text::new(
                format!("现有数据分不出产量高低，括号内为本品种更高的可能：{}", names.zh),
                format!("not separable by yield (chance that this one yields more): {}", names.en),
            ),
        ));
    }
    if !blind.is_empty() {
        let names: Vec<Text> = blind.into_iter().map(name).collect();
        let names = words::list(&names);
        reasons.push(reason(
            Speaks::Against,
            "no_comparison",
            Text::new(
                format!("没有可比的种植记录：{}", names.zh),
                format!("no comparison with {}", names.en),
            ),
        ));
    }
    reasons
}

fn variety_reasons(
    inquiry: &Inquiry<'_>,
    standing: &CropStanding<'_>,
    variety: &Variety,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for (disease, season) in &inquiry.diseases {
        let concerns = season.crop == standing.crop.key
            || standing.crop.rotation.as_ref().is_some_and(|r| r.diseases.contains(disease));
        let grade = variety.resistance(*disease);
        if grade == Resistance::Unknown && !concerns {
            continue;
        }
        let (name, graded) = (disease.name(), grade.name());
        let is_resistant = matches!(
            grade,
            Resistance::HighlyResistant | Resistance::Resistant | Resistance::ModeratelyResistant
        );
        let text = if grade == Resistance::Unknown {
            Text::new(
                format!("本地块发生过{}，本品种抗性不详", name.zh),
                format!("{} was seen here and the variety's resistance is unknown", name.en),
            )
        } else {
            Text::new(
                format!("本地块发生过{}，本品种{}", name.zh, graded.zh),
                format!("{} was seen here and the variety is {}", name.en, graded.en),
            )
        };
        let speaks = if is_resistant { Speaks::For } else { Speaks::Against };
        reasons.push(reason(speaks, "resistance", text));
    }
    if variety.registrations.is_empty() {
        reasons.push(reason(
            Speaks::Against,
            "registration",
            Text::new("未查到登记或审定编号", "no registration or approval number found"),
        ));
    }
    reasons
}

fn soil_reasons(
    inquiry: &Inquiry<'_>,
    soil: &SoilSafety<'_>,
    standing: &CropStanding<'_>,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let eaten = standing.uses.iter().filter(|safe| safe.part.edible);
    for safe in eaten.clone() {
        for test in safe.tests.iter().filter(|test| test.passed.is_some()) {
            reasons.extend(passed_reason(inquiry, safe.part.organ, test));
        }
    }
    if soil.class == Some(SoilClass::Priority) && eaten.clone().next().is_some() {
        let text = if soil.is_official {
            Text::new(
                "官方划为优先保护类，土壤风险低",
                "officially priority protection: soil risk low",
            )
        } else {
            let standard = &inquiry.catalogue.soil_standard().number;
            Text::new(
                format!("土样各项不超过筛选值（{standard}），土壤风险低"),
                format!("no soil sample above its screening value ({standard}): soil risk low"),
            )
        };
        reasons.push(reason(Speaks::For, "pollution", text));
    }
    let uptake = eaten.filter_map(|safe| safe.part.cadmium_uptake.as_ref());
    let highest = uptake.max_by(|a, b| a.mean_ratio.total_cmp(&b.mean_ratio));
    if let Some(uptake) = highest {
        let ratio = words::number(uptake.mean_ratio, 2);
        if uptake.mean_ratio >= UPTAKE_HIGH {
            reasons.push(reason(
                Speaks::Against,
                "cadmium",
                Text::new(
                    format!("容易吸收镉（产品与土壤含量之比平均 {ratio}）"),
                    format!("takes up much cadmium (mean ratio of produce to soil {ratio})"),
                ),
            ));
        } else if uptake.mean_ratio <= UPTAKE_LOW && soil.class == Some(SoilClass::SafeUse) {
            reasons.push(reason(
                Speaks::For,
                "cadmium",
                Text::new(
                    format!("吸收镉少（产品与土壤含量之比平均 {ratio}）"),
                    format!("takes up little cadmium (mean ratio of produce to soil {ratio})"),
                ),
            ));
        }
    }
    reasons
}

fn passed_reason(inquiry: &Inquiry<'_>, organ: Organ, test: &ProduceTest<'_>) -> Option<Reason> {
    let quantity = &inquiry.catalogue.quantity(test.quantity?).name;
    let (organ, day) = (organ.name(), words::date(test.passed?));
    Some(reason(
        Speaks::For,
        "pollution",
        Text::new(
            format!("{}起那一季的{}样品{}合格", day.zh, organ.zh, quantity.zh),
            format!(
                "a {} sample of the season from {} passed for {}",
                organ.en, day.en, quantity.en
            ),
        ),
    ))
}
