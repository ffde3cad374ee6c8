//! Prices: what a cooperative's buyers pay, and what growing costs.

use plotwise_config::{id::CooperativeId, records::Price};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::{
    Changes, Facts, FactsError,
    entity::price,
    row::{RowReader, from_key_text, key_text, text_of},
    write::{Named, put},
};

impl Facts {
    /// The prices of a cooperative, by crop.
    ///
    /// # Errors
    ///
    /// [`FactsError::Database`], [`FactsError::Damaged`].
    pub async fn prices(&self, owner: &CooperativeId) -> Result<Vec<Price>, FactsError> {
        let query = price::Entity::find()
            .filter(price::Column::Cooperative.eq(owner.as_str()))
            .order_by_asc(price::Column::Crop)
            .order_by_asc(price::Column::SoldAs)
            .order_by_asc(price::Column::Variety)
            .order_by_asc(price::Column::Buyer)
            .order_by_asc(price::Column::FromDay);
        query.all(&self.database).await?.into_iter().map(from_row).collect()
    }

    /// Adds or changes prices; crop, use, variety, buyer and first day name one.
    ///
    /// # Errors
    ///
    /// [`FactsError::NoSuchOwner`] for an unknown cooperative; [`FactsError::Database`].
    pub async fn put_prices(&self, records: &[Price]) -> Result<Changes, FactsError> {
        let rows = records.iter().map(|record| {
            let named = format!("the price of {} {}", record.crop, record.sold_as);
            (to_row(record), Named { record: named, owner: "cooperative" })
        });
        put::<price::Entity>(self, rows.collect()).await
    }
}

fn to_row(record: &Price) -> price::Model {
    price::Model {
        cooperative: record.cooperative.to_string(),
        crop: record.crop.to_string(),
        sold_as: record.sold_as.to_string(),
        variety: record.variety.as_ref().map(ToString::to_string).unwrap_or_default(),
        buyer: key_text(record.buyer.as_deref()),
        from_day: record.from.map(|day| day.to_string()).unwrap_or_default(),
        price_per_kg: record.price_per_kg,
        currency: record.currency.clone(),
        max_t: record.max_t,
        cost_per_mu: record.cost_per_mu,
        to_day: text_of(record.to),
    }
}

fn from_row(row: price::Model) -> Result<Price, FactsError> {
    let key = format!("{} {} {}", row.cooperative, row.crop, row.sold_as);
    let read = RowReader::new("price", &key);
    let variety = from_key_text(row.variety);
    let from = from_key_text(row.from_day);
    Ok(Price {
        cooperative: read.word(&row.cooperative, "a cooperative's key")?,
        crop: read.word(&row.crop, "a crop's key")?,
        sold_as: read.word(&row.sold_as, "what it is sold as")?,
        price_per_kg: row.price_per_kg,
        currency: row.currency,
        variety: read.word_if(variety.as_deref(), "a variety's key")?,
        buyer: from_key_text(row.buyer),
        max_t: row.max_t,
        cost_per_mu: row.cost_per_mu,
        from: read.day_if(from.as_deref())?,
        to: read.day_if(row.to_day.as_deref())?,
    })
}
