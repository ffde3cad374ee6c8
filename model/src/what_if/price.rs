//! The price, or the buyer, that would bring a line to the first place.
//!
//! An orchard on cultivated land has none: it comes after field crops at any price.

use plotwise_config::{records::SoldAs, text::Text};

use crate::{
    advice::Change,
    judged::{Judgement, Line},
    margin::Offer,
    words,
};

/// A price beyond this multiple of today's is no advice (ours).
const PRICE_TIMES_MAX: f64 = 2.0;

/// The price from which on the crop would come first.
pub(super) fn price_change(base: &Judgement<'_>, line: &Line<'_>) -> Option<Change> {
    if base.crop_of(line).is_conversion {
        return None;
    }
    let crop = base.crop_of(line).crop;
    let best = base.lines.first()?;
    let is_best_of_crop = base.line(crop, None).is_some_and(|first| std::ptr::eq(first, line));
    if best.place == line.place || !is_best_of_crop {
        return None;
    }
    let (top, own) = (best.offer.as_ref()?, line.offer.as_ref()?);
    let needed = price_for(own, top.margin.per_ha)?;
    let now = own.price.price_per_kg;
    (needed > now && needed <= now * PRICE_TIMES_MAX).then(|| {
        let needed = words::number((needed * 100.0).ceil() / 100.0, 2);
        let sold = own.margin.sold_as.name();
        Change {
            factor: "price".to_owned(),
            from: words::number(now, 2),
            to: needed.clone(),
            effect: Text::new(
                format!("{}收购价到 {needed} 元/公斤，{}就排第一。", sold.zh, crop.name.zh),
                format!(
                    "At {needed} {} a kg ({}) {} would come first.",
                    own.margin.currency, sold.en, crop.name.en
                ),
            ),
        }
    })
}

/// The buyer, and his price, that would bring a variety to the first place whose use nobody asks for.
///
/// Told only where another use of the crop is sold, whose cost and price bound what is worth telling.
pub(super) fn buyer_change(base: &Judgement<'_>, line: &Line<'_>) -> Option<Change> {
    if line.offer.is_some() || base.crop_of(line).is_conversion {
        return None;
    }
    let variety = line.variety?;
    let top = base.lines.first()?.offer.as_ref()?;
    let mut siblings = base.lines.iter().filter(|other| other.place == line.place);
    let sold = siblings.find_map(|other| other.offer.as_ref())?;
    let wanted_use = *variety.uses.first()?;
    let delivered = match wanted_use {
        SoldAs::Dried => variety.dry_matter_percent? / 100.0,
        _ => 1.0,
    };
    let expected = line.estimate?.interval.expected;
    let revenue = top.margin.per_ha + sold.cost_per_ha.unwrap_or(0.0);
    let needed = revenue / (expected * delivered);
    let is_worth = needed.is_finite() && needed > 0.0;
    (is_worth && needed * delivered <= sold.paid_per_kg * PRICE_TIMES_MAX).then(|| {
        let needed = words::number((needed * 100.0).ceil() / 100.0, 2);
        let wanted = wanted_use.name();
        Change {
            factor: "buyer".to_owned(),
            from: sold.margin.sold_as.key().to_owned(),
            to: wanted_use.key().to_owned(),
            effect: Text::new(
                format!("有{}买家出到 {needed} 元/公斤，{}就排第一。", wanted.zh, variety.name.zh),
                format!(
                    "With a buyer ({}) at {needed} {} a kg {} would come first.",
                    wanted.en, top.margin.currency, variety.name.en
                ),
            ),
        }
    })
}

/// The price at which an offer leaves `per_ha`.
fn price_for(offer: &Offer<'_>, per_ha: f64) -> Option<f64> {
    let revenue = offer.margin.per_ha + offer.cost_per_ha.unwrap_or(0.0);
    let wanted = per_ha + offer.cost_per_ha.unwrap_or(0.0);
    (revenue > 0.0).then(|| offer.price.price_per_kg * wanted / revenue)
}
