//! What rules, limits or the land exclude or warn of, with the figure and the source.

use plotwise_config::{
    catalogue::{
        crop::Rotation,
        rule::{Rule, RuleTopic},
        variety::{Resistance, Variety},
    },
    land::Disease,
    text::Text,
};

use crate::{
    advice::{RuledOut, Suitability, Warning},
    judged::{CropStanding, Exclusion, Inquiry, Out},
    rotation::Breach,
    safe::{Failure, SoilSafety},
    suitability::Evaluation,
    words,
};

/// Rules and gaps that do not forbid but must be said.
pub(crate) fn warnings(standing: &CropStanding<'_>) -> Vec<Warning> {
    let of_rule = |rule: &&Rule| Warning {
        rule: rule.topic,
        source: rule.source.clone(),
        text: rule.text.clone(),
    };
    let mut warnings: Vec<Warning> = standing.warnings.iter().map(of_rule).collect();
    if let Some(breach) = &standing.breach {
        warnings.push(Warning {
            rule: RuleTopic::Rotation,
            source: rotation_source(standing.crop.rotation.as_ref()),
            text: breach_text(breach),
        });
    }
    warnings
}

fn rotation_source(rotation: Option<&Rotation>) -> String {
    rotation.map_or_else(|| "Plotwise".to_owned(), |rotation| rotation.source.clone())
}

fn breach_text(breach: &Breach<'_>) -> Text {
    let key = breach.season.crop.as_str();
    let before = breach.before.map_or_else(|| Text::new(key, key), |crop| crop.name.clone());
    let (years, free) = (words::number(breach.years, 1), words::date(breach.free_on));
    let year = breach.season.start.year();
    let halved = if breach.is_halved {
        Text::new("（其间淹水种稻，年限减半）", " (halved by flooded rice in between)")
    } else {
        Text::default()
    };
    match breach.disease {
        Some(disease) => {
            let name = disease.name();
            Text::new(
                format!(
                    "{year}年{}发生过{}，应隔 {years} 年{}，到 {}",
                    before.zh, name.zh, halved.zh, free.zh
                ),
                format!(
                    "{} was seen in {} of {year}: wait {years} years{}, until {}",
                    name.en, before.en, halved.en, free.en
                ),
            )
        }
        None => Text::new(
            format!(
                "{year}年种过{}，同科作物应隔 {years} 年{}，到 {}",
                before.zh, halved.zh, free.zh
            ),
            format!(
                "{} of the same family stood here in {year}: wait {years} years{}, until {}",
                before.en, halved.en, free.en
            ),
        ),
    }
}

/// What is excluded, with the figure and the source.
pub(crate) fn ruled_out(inquiry: &Inquiry<'_>, soil: &SoilSafety<'_>, out: &Out<'_>) -> RuledOut {
    let catalogue = inquiry.catalogue;
    let (rule, source, text) = match &out.ground {
        Exclusion::Rule(rule) => (rule.topic, rule.source.clone(), rule.text.clone()),
        Exclusion::Breach(breach) => {
            (RuleTopic::Rotation, rotation_source(out.crop.rotation.as_ref()), breach_text(breach))
        }
        Exclusion::Occupied => (RuleTopic::Season, "Plotwise".to_owned(), occupied_text(inquiry)),
        Exclusion::NoSpan => (
            RuleTopic::Season,
            out.crop.calendar.first().map_or_else(String::new, |calendar| calendar.source.clone()),
            Text::new(
                "本地气候没有适合它的播种期",
                "the climate of this place leaves no day to plant it",
            ),
        ),
        Exclusion::SoilForbids => forbidden(inquiry, soil),
        Exclusion::ProduceFailed(failure) => (
            RuleTopic::Pollution,
            catalogue.food_standard().number.clone(),
            failure_text(inquiry, failure),
        ),
        Exclusion::Land(evaluation) => unsuited(evaluation, &out.crop.source),
        Exclusion::Disease { disease, grade, season } => {
            diseased(out.variety, *disease, *grade, season.start.year())
        }
    };
    let name = out.variety.map_or_else(|| out.crop.name.clone(), |variety| variety.name.clone());
    RuledOut {
        crop: out.crop.key.to_string(),
        variety: out.variety.map(|variety| variety.key.to_string()),
        name,
        rule,
        source,
        text,
        would_change: Vec::new(),
    }
}

/// Class N, by its worst factor.
fn unsuited(evaluation: &Evaluation, source: &str) -> (RuleTopic, String, Text) {
    let Some(rating) = evaluation.ratings.first() else {
        return (RuleTopic::Suitability, source.to_owned(), words::class_shown(Suitability::N));
    };
    let figure = words::figure_and_wanted(rating.factor, &rating.shown, &rating.wanted);
    let text = Text::new(
        format!("{}：N（不适宜）", figure.zh),
        format!("{}: N (not suitable)", figure.en),
    );
    (RuleTopic::Suitability, rating.source.clone(), text)
}

fn diseased(
    variety: Option<&Variety>,
    disease: Disease,
    grade: Resistance,
    year: i16,
) -> (RuleTopic, String, Text) {
    let (name, graded) = (disease.name(), grade.name());
    let who = variety.map_or_else(Text::default, |variety| variety.name.clone());
    let source = variety.map_or_else(String::new, |variety| resistance_source(variety, disease));
    let text = Text::new(
        format!("{year}年本地块发生过{}，{}{}", name.zh, who.zh, graded.zh),
        format!("{} was seen here in {year} and {} is {}", name.en, who.en, graded.en),
    );
    (RuleTopic::Disease, source, text)
}

fn resistance_source(variety: &Variety, disease: Disease) -> String {
    let known = variety.resistances.iter().find(|known| known.disease == disease);
    known.and_then(|known| known.source.clone()).unwrap_or_else(|| variety.source.clone())
}

fn occupied_text(inquiry: &Inquiry<'_>) -> Text {
    let Some(standing) = &inquiry.standing else {
        return Text::new("地里还有作物", "something else stands there");
    };
    let key = standing.season.crop.as_str();
    let name = standing.crop.map_or_else(|| Text::new(key, key), |crop| crop.name.clone());
    let until = standing.free_from.map(words::date).unwrap_or_default();
    Text::new(
        format!("地里有{}，要到 {} 才空出来", name.zh, until.zh),
        format!("{} stands there; the plot is free on {}", name.en, until.en),
    )
}

/// Why nothing may be eaten or fed: by the samples, else by the official class.
fn forbidden(inquiry: &Inquiry<'_>, soil: &SoilSafety<'_>) -> (RuleTopic, String, Text) {
    let standard = &inquiry.catalogue.soil_standard().number;
    let worst = soil.worst.filter(|_| !soil.is_official);
    if let Some(worst) = worst
        && let Some(border) = worst.intervention_mg_kg
    {
        let name = &inquiry.catalogue.quantity(worst.quantity).name;
        let (value, border) = (words::number(worst.value_mg_kg, 2), words::number(border, 2));
        let text = Text::new(
            format!("土壤{} {value} 毫克/公斤，超过管制值 {border}：不种食用、饲用作物", name.zh),
            format!(
                "{} in the soil {value} mg/kg, above the intervention value {border}: nothing that is eaten or fed",
                name.en
            ),
        );
        return (RuleTopic::Pollution, standard.clone(), text);
    }
    let document =
        inquiry.dossier.plot.soil_class.as_ref().and_then(|class| class.document.clone());
    let text = Text::new(
        "官方划为严格管控类：不种食用、饲用作物",
        "officially strict control: nothing that is eaten or fed",
    );
    (RuleTopic::SoilClass, document.unwrap_or_else(|| "Plotwise".to_owned()), text)
}

pub(super) fn failure_text(inquiry: &Inquiry<'_>, failure: &Failure<'_>) -> Text {
    let name = &inquiry.catalogue.quantity(failure.quantity).name;
    let (value, most) =
        (words::number(failure.value_mg_kg, 3), words::number(failure.limit.mg_kg, 3));
    let (organ, day) = (failure.organ.name(), words::date(failure.season_start));
    let standard = &inquiry.catalogue.food_standard().number;
    Text::new(
        format!(
            "{}起那一季的{}样品{} {value} 毫克/公斤，超过限量 {most}（{standard}）",
            day.zh, organ.zh, name.zh
        ),
        format!(
            "a {} sample of the season from {} had {value} mg/kg of {}, above the limit {most} ({standard})",
            organ.en, day.en, name.en
        ),
    )
}
