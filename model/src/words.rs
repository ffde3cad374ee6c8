//! Numbers, dates and classes as growers read them, in both languages.

use jiff::civil::Date;
use plotwise_config::{catalogue::crop::Factor, text::Text};

use crate::{advice::Suitability, margin::MU_A_HECTARE};

/// A number without needless zeros.
pub(crate) fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let trimmed =
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if trimmed == "-0" { "0".to_owned() } else { trimmed.to_owned() }
}

/// `MM-DD`.
pub(crate) fn month_day(day: Date) -> String {
    format!("{:02}-{:02}", day.month(), day.day())
}

/// A day with its year.
pub(crate) fn date(day: Date) -> Text {
    Text::new(
        format!("{}年{}月{}日", day.year(), day.month(), day.day()),
        format!("{:04}-{:02}-{:02}", day.year(), day.month(), day.day()),
    )
}

/// kg/ha in the unit of each language.
pub(crate) fn yield_shown(kg_ha: f64) -> Text {
    Text::new(
        format!("{} 公斤/亩", number(kg_ha / MU_A_HECTARE, 0)),
        format!("{} kg/mu", number(kg_ha / MU_A_HECTARE, 0)),
    )
}

/// Two yields, the unit once.
pub(crate) fn range_shown(low_kg_ha: f64, high_kg_ha: f64) -> Text {
    let (low, high) = (number(low_kg_ha / MU_A_HECTARE, 0), number(high_kg_ha / MU_A_HECTARE, 0));
    Text::new(format!("{low}-{high} 公斤/亩"), format!("{low}-{high} kg/mu"))
}

/// A class with what it means.
pub(crate) fn class_shown(class: Suitability) -> Text {
    match class {
        Suitability::S1 => Text::new("S1（很适宜）", "S1 (highly suitable)"),
        Suitability::S2 => Text::new("S2（适宜）", "S2 (suitable)"),
        Suitability::S3 => Text::new("S3（勉强适宜）", "S3 (marginal)"),
        Suitability::N => Text::new("N（不适宜）", "N (not suitable)"),
    }
}

/// The class's letter.
pub(crate) const fn class_key(class: Suitability) -> &'static str {
    match class {
        Suitability::S1 => "S1",
        Suitability::S2 => "S2",
        Suitability::S3 => "S3",
        Suitability::N => "N",
    }
}

/// A figure beside what the crop wants, for example `土壤酸碱度 pH 4.9，适宜 5.2-8.2`.
pub(crate) fn figure_and_wanted(factor: Factor, shown: &Text, wanted: &Text) -> Text {
    let name = factor.name();
    // "soil pH pH 4.9" would say it twice.
    let lead = |name: &str, shown: &str, gap: &str| {
        if factor == Factor::SoilPh || shown.starts_with(name) {
            shown.to_owned()
        } else {
            format!("{name}{gap}{shown}")
        }
    };
    Text::new(
        format!("{}，适宜 {}", lead(&name.zh, &shown.zh, " "), wanted.zh),
        format!("{}, suited is {}", lead(&name.en, &shown.en, " "), wanted.en),
    )
}

/// Names one after another.
pub(crate) fn list(names: &[Text]) -> Text {
    let zh: Vec<&str> = names.iter().map(|name| name.zh.as_str()).collect();
    let en: Vec<&str> = names.iter().map(|name| name.en.as_str()).collect();
    Text::new(zh.join("、"), en.join(", "))
}

/// A share as percent.
pub(crate) fn share_percent(share: f64) -> String {
    format!("{} %", number(share * 100.0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_no_needless_zeros() {
        assert_eq!(number(0.30, 2), "0.3");
        assert_eq!(number(1200.0, 0), "1200");
        assert_eq!(number(-0.04, 1), "0");
    }

    #[test]
    fn a_yield_is_shown_per_mu() {
        assert_eq!(yield_shown(31_000.0).zh, "2067 公斤/亩");
    }

    #[test]
    fn the_figure_of_ph_names_ph_once() {
        let shown = Text::new("pH 5.6", "pH 5.6");
        let wanted = Text::new("5.2-8.2", "5.2-8.2");
        assert_eq!(figure_and_wanted(Factor::SoilPh, &shown, &wanted).zh, "pH 5.6，适宜 5.2-8.2");
    }
}
