//! Part of step 5: what a harvest brings, where the cooperative has set prices.
//!
//! `margin = price x expected yield - cost`, for the best of the uses that the variety is grown for and a
//! buyer asks for. Prices are per kg as delivered: fresh weight for fresh, starch, feed and seed, dry weight
//! for dried. Starch content decides what a starch buyer pays, so his price is that of the crop's middle
//! starch variety and moves in proportion to the variety's own share (our reading; a price set for one
//! variety is taken as it is). A buyer's `max_t` bounds what of the plot's harvest is paid.
//!
//! What it leaves out: the own labour of the household unless the cost counts it, and prices that fall.

use jiff::civil::Date;
use plotwise_config::{
    catalogue::{Catalogue, crop::Crop, variety::Variety},
    records::{Price, SoldAs},
};

use crate::{advice::Margin, yields::Estimate};

/// A hectare in mu.
pub(crate) const MU_A_HECTARE: f64 = 15.0;

/// A use, who buys it, and what is left.
#[derive(Clone, Debug)]
pub(crate) struct Offer<'a> {
    pub(crate) price: &'a Price,
    /// Per kg of fresh harvest, after starch content or drying.
    pub(crate) paid_per_kg: f64,
    pub(crate) margin: Margin,
    /// Per hectare; `None` where nobody stated a cost and the margin is the whole revenue.
    pub(crate) cost_per_ha: Option<f64>,
    /// Share of the plot's harvest that the buyer's limit leaves unsold.
    pub(crate) unsold_share: f64,
    /// The buyer pays by starch and the variety's share is unknown.
    pub(crate) is_starch_unknown: bool,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Produce<'a> {
    pub(crate) variety: Option<&'a Variety>,
    /// What it is grown for.
    pub(crate) sold_as: &'a [SoldAs],
    pub(crate) estimate: &'a Estimate,
    pub(crate) area_ha: f64,
}

/// Prices of one crop on a day: those that hold, else those that will.
pub(crate) fn prices_of<'a>(prices: &'a [Price], crop: &Crop, on: Date) -> Vec<&'a Price> {
    let known = prices.iter().filter(|price| {
        price.crop == crop.key
            && price.price_per_kg.is_finite()
            && price.price_per_kg > 0.0
            && price.to.is_none_or(|to| to >= on)
    });
    let (hold, will): (Vec<&Price>, Vec<&Price>) =
        known.partition(|price| price.from.is_none_or(|from| from <= on));
    let mut prices = hold;
    for price in will {
        if prices.iter().all(|held| held.sold_as != price.sold_as || held.buyer != price.buyer) {
            prices.push(price);
        }
    }
    prices
}

/// What a variety is grown for; where it has no record, what the crop's main part is sold as, because
/// yields are of that part.
pub(crate) fn uses_of<'a>(crop: &'a Crop, variety: Option<&'a Variety>) -> &'a [SoldAs] {
    match variety {
        Some(variety) if !variety.uses.is_empty() => &variety.uses,
        _ => crop.uses.first().map_or(&[], |part| &part.sold_as),
    }
}

/// The use that leaves most, or `None` where nobody buys what it is grown for.
pub(crate) fn best_offer<'a>(
    prices: &[&'a Price],
    produce: Produce<'_>,
    starch_reference: Option<f64>,
) -> Option<Offer<'a>> {
    let offers = prices.iter().filter_map(|price| offer(prices, price, produce, starch_reference));
    offers.max_by(|a, b| {
        let by_margin = a.margin.per_ha.total_cmp(&b.margin.per_ha);
        by_margin.then_with(|| b.price.buyer.cmp(&a.price.buyer))
    })
}

fn offer<'a>(
    prices: &[&'a Price],
    price: &'a Price,
    produce: Produce<'_>,
    starch_reference: Option<f64>,
) -> Option<Offer<'a>> {
    let variety = produce.variety;
    let is_own = |price: &Price| {
        price.variety.is_some() && price.variety.as_ref() == variety.map(|variety| &variety.key)
    };
    if !produce.sold_as.contains(&price.sold_as) || (price.variety.is_some() && !is_own(price)) {
        return None;
    }
    // A buyer's price for this very variety stands in place of his general one.
    let is_replaced = price.variety.is_none()
        && prices.iter().any(|other| {
            is_own(other) && other.sold_as == price.sold_as && other.buyer == price.buyer
        });
    if is_replaced {
        return None;
    }
    let mut is_starch_unknown = false;
    let factor = match price.sold_as {
        SoldAs::Dried => variety?.dry_matter_percent? / 100.0,
        SoldAs::Starch if price.variety.is_none() => {
            match (variety.and_then(|variety| variety.starch_percent_fresh), starch_reference) {
                (Some(own), Some(reference)) if reference > 0.0 => own / reference,
                _ => {
                    is_starch_unknown = variety.is_some();
                    1.0
                }
            }
        }
        _ => 1.0,
    };
    let paid_per_kg = price.price_per_kg * factor;
    let expected = produce.estimate.interval.expected;
    // The limit is in tonnes as delivered: dry ones for a buyer of dried produce.
    let delivered_kg =
        expected * produce.area_ha * if price.sold_as == SoldAs::Dried { factor } else { 1.0 };
    let sold_share = match price.max_t {
        Some(most) if delivered_kg > most * 1000.0 => most * 1000.0 / delivered_kg,
        _ => 1.0,
    };
    let cost_per_mu = price.cost_per_mu.or_else(|| prices.iter().find_map(|p| p.cost_per_mu));
    let cost_per_ha = cost_per_mu.map(|cost| cost * MU_A_HECTARE);
    let per_ha = paid_per_kg * expected * sold_share - cost_per_ha.unwrap_or(0.0);
    let margin = Margin {
        per_mu: per_ha / MU_A_HECTARE,
        per_ha,
        currency: price.currency.clone(),
        sold_as: price.sold_as,
    };
    let unsold_share = 1.0 - sold_share;
    Some(Offer { price, paid_per_kg, margin, cost_per_ha, unsold_share, is_starch_unknown })
}

/// Middle starch share, percent of fresh weight, of the crop's starch varieties.
pub(crate) fn starch_reference(catalogue: &Catalogue, crop: &Crop) -> Option<f64> {
    let starchy = catalogue
        .varieties_of(crop.key.as_str())
        .filter(|variety| variety.uses.contains(&SoldAs::Starch));
    let mut shares: Vec<f64> = starchy.filter_map(|variety| variety.starch_percent_fresh).collect();
    shares.sort_by(f64::total_cmp);
    let middle = shares.len().checked_sub(1)? / 2;
    Some(f64::midpoint(shares[middle], shares[shares.len() / 2]))
}

#[cfg(test)]
mod tests;
