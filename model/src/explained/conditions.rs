//! What has to be done for a line to hold: tests, clean seedlings, what the buyer takes.

use plotwise_config::{
    catalogue::{crop::WaterHabit, variety::Variety},
    land::Disease,
    records::Organ,
    text::Text,
};

use super::excluded::failure_text;
use crate::{
    advice::Condition,
    judged::{CropStanding, Inquiry, Line},
    margin::Offer,
    safe::{ProduceTest, SoilSafety},
    words,
};

/// Diseases that come with seedlings and seed roots.
const CARRIED_BY_SEEDLINGS: [Disease; 5] = [
    Disease::BlackSpot,
    Disease::StemNematode,
    Disease::RootRot,
    Disease::FusariumWilt,
    Disease::BacterialWilt,
];

fn condition(code: &str, text: Text) -> Condition {
    Condition { code: code.to_owned(), text }
}

/// What has to be done for a line to hold.
pub(crate) fn conditions(
    inquiry: &Inquiry<'_>,
    soil: &SoilSafety<'_>,
    standing: &CropStanding<'_>,
    line: &Line<'_>,
) -> Vec<Condition> {
    let mut conditions = Vec::new();
    conditions.extend(after_harvest(inquiry, standing, line));
    let is_eaten = standing.uses.iter().any(|safe| safe.part.edible);
    if soil.class.is_none() && is_eaten {
        conditions.push(condition(
            "pollution_unknown",
            Text::new(
                "没有土壤重金属化验结果：作食用、饲用前先送土样",
                "no laboratory result of this soil: have a sample measured before anything is eaten or fed",
            ),
        ));
    }
    for safe in &standing.uses {
        for test in &safe.tests {
            conditions.push(test_condition(inquiry, soil, safe.part.organ, test));
        }
    }
    for failure in &standing.failed {
        let text = failure_text(inquiry, failure);
        conditions.push(condition("organ_ruled_out", text));
    }
    if !standing.forbidden.is_empty() {
        let organs: Vec<Text> = standing.forbidden.iter().map(|organ| organ.name()).collect();
        let organs = words::list(&organs);
        conditions.push(condition(
            "organ_ruled_out",
            Text::new(
                format!("{}不得食用、饲用", organs.zh),
                format!("the {} may be neither eaten nor fed", organs.en),
            ),
        ));
    }
    if standing.crop.water_habit == WaterHabit::UplandTuber {
        conditions.extend(line.variety.and_then(seedlings_condition));
    }
    if let Some(offer) = &line.offer {
        if offer.is_starch_unknown {
            conditions.push(condition(
                "starch_unknown",
                Text::new(
                    "本品种淀粉率不详，按该作物淀粉品种的中间水平计价，交货前先测",
                    "starch content unknown: reckoned as the crop's middle starch variety, measure first",
                ),
            ));
        }
        if offer.cost_per_ha.is_none() {
            conditions.push(condition(
                "cost_unknown",
                Text::new(
                    "没有登记成本，收益未减成本",
                    "no cost was stated: the margin is before cost",
                ),
            ));
        }
        conditions.extend(buyer_condition(offer));
    }
    if let Some(note) = line.variety.and_then(|variety| variety.note.clone()) {
        conditions.push(condition("note", note));
    }
    conditions
}

/// What stands there decides the first day.
fn after_harvest(
    inquiry: &Inquiry<'_>,
    crop: &CropStanding<'_>,
    line: &Line<'_>,
) -> Option<Condition> {
    let standing = inquiry.standing.as_ref()?;
    let from = crop.spans.get(line.span)?.window.as_ref()?.from;
    if standing.free_from != Some(from) {
        return None;
    }
    let key = standing.season.crop.as_str();
    let name = standing.crop.map_or_else(|| Text::new(key, key), |crop| crop.name.clone());
    let day = words::date(from);
    Some(condition(
        "after_harvest",
        Text::new(
            format!("{}收完整好地再种，约 {} 起", name.zh, day.zh),
            format!("plant after {} is in and the field is ready, from about {}", name.en, day.en),
        ),
    ))
}

fn buyer_condition(offer: &Offer<'_>) -> Option<Condition> {
    let most = words::number(offer.price.max_t?, 1);
    let buyer = offer.price.buyer.as_deref();
    let left = words::share_percent(offer.unsold_share);
    let (zh, en) = if offer.unsold_share > 0.0 {
        (
            format!("，本地块约 {left} 卖不掉，收益已扣除"),
            format!(", {left} of this plot's harvest is left and not counted"),
        )
    } else {
        (String::new(), String::new())
    };
    let text = Text::new(
        format!("{}一季最多收 {most} 吨{zh}", buyer.unwrap_or("买家")),
        format!("{} takes at most {most} t a season{en}", buyer.unwrap_or("the buyer")),
    );
    Some(condition("buyer_limit", text))
}

fn test_condition(
    inquiry: &Inquiry<'_>,
    soil: &SoilSafety<'_>,
    organ: Organ,
    test: &ProduceTest<'_>,
) -> Condition {
    let organ = organ.name();
    let Some(quantity) = test.quantity else {
        return condition(
            "test_before_sale",
            Text::new(
                format!("官方划为安全利用类：{}上市前须检测重金属，合格后再卖", organ.zh),
                format!(
                    "officially safe use: test the {} for heavy metals and hold it until it passed",
                    organ.en
                ),
            ),
        );
    };
    let name = &inquiry.catalogue.quantity(quantity).name;
    let found = soil.judged.iter().find(|sample| sample.quantity == quantity);
    let found = found.map_or_else(Text::default, |sample| {
        let value = words::number(sample.value_mg_kg, 2);
        let border = words::number(sample.screening_mg_kg, 2);
        Text::new(
            format!("土壤{} {value}，筛选值 {border} 毫克/公斤。", name.zh),
            format!("{} in the soil {value}, screening value {border} mg/kg. ", name.en),
        )
    });
    let limit = test.limit.map(|limit| {
        let standard = &inquiry.catalogue.food_standard().number;
        let most = words::number(limit.mg_kg, 3);
        Text::new(
            format!(
                "{}不得超过 {most} 毫克/公斤（{standard} {}）",
                name.zh,
                limit.table.replace("table ", "表")
            ),
            format!("at most {most} mg/kg of {} ({standard}, {})", name.en, limit.table),
        )
    });
    let limit = limit.unwrap_or_else(|| {
        let standard = &inquiry.catalogue.food_standard().number;
        Text::new(
            format!("{standard} 没有规定它的{}限量，仍建议检测", name.zh),
            format!("{standard} sets no limit for {} in it; test it all the same", name.en),
        )
    });
    if test.passed.is_some() {
        return condition(
            "keep_testing",
            Text::new(
                format!("{}{}每季仍要抽检：{}", found.zh, organ.zh, limit.zh),
                format!("{}Keep testing the {} each season: {}", found.en, organ.en, limit.en),
            ),
        );
    }
    condition(
        "test_before_sale",
        Text::new(
            format!("{}{}上市前须检测，合格后再卖：{}", found.zh, organ.zh, limit.zh),
            format!("{}Test the {} and hold it until it passed: {}", found.en, organ.en, limit.en),
        ),
    )
}

fn seedlings_condition(variety: &Variety) -> Option<Condition> {
    let weak: Vec<Text> = CARRIED_BY_SEEDLINGS
        .into_iter()
        .filter(|disease| variety.resistance(*disease).is_susceptible())
        .map(Disease::name)
        .collect();
    if weak.is_empty() {
        return None;
    }
    let names = words::list(&weak);
    Some(condition(
        "clean_seedlings",
        Text::new(
            format!("本品种感{}：用无病种苗，播种前消毒", names.zh),
            format!("susceptible to {}: healthy, treated planting material only", names.en),
        ),
    ))
}
