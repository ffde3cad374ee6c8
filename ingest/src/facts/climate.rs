//! Weather of a cooperative's place: the days, and the normals of months.

use plotwise_config::{
    id::CooperativeId,
    records::{Climate, ClimateDay, ClimateMonth},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::{
    Changes, Facts, FactsError,
    entity::{climate_day, climate_month},
    row::RowReader,
    write::{Named, put},
};

impl Facts {
    /// The weather of a cooperative; both parts are empty where nothing is known.
    ///
    /// # Errors
    ///
    /// [`FactsError::Database`], [`FactsError::Damaged`].
    pub async fn climate(&self, owner: &CooperativeId) -> Result<Climate, FactsError> {
        let days = climate_day::Entity::find()
            .filter(climate_day::Column::Cooperative.eq(owner.as_str()))
            .order_by_asc(climate_day::Column::Day);
        let months = climate_month::Entity::find()
            .filter(climate_month::Column::Cooperative.eq(owner.as_str()))
            .order_by_asc(climate_month::Column::Month);
        let days = days.all(&self.database).await?;
        let months = months.all(&self.database).await?;
        Ok(Climate {
            days: days.iter().map(day_from_row).collect::<Result<_, _>>()?,
            months: months.iter().map(month_from_row).collect::<Result<_, _>>()?,
        })
    }

    /// Adds or changes days and months of a cooperative's weather; others stay.
    ///
    /// # Errors
    ///
    /// [`FactsError::NoSuchOwner`] for an unknown cooperative; [`FactsError::Database`].
    pub async fn put_climate(
        &self,
        owner: &CooperativeId,
        climate: &Climate,
    ) -> Result<Changes, FactsError> {
        let named = |when: String| Named {
            record: format!("the weather of {owner}, {when}"),
            owner: "cooperative",
        };
        let days = climate.days.iter().map(|day| {
            let row = climate_day::Model {
                cooperative: owner.to_string(),
                day: day.date.to_string(),
                air_temperature_max: day.air_temperature_max,
                air_temperature_min: day.air_temperature_min,
                rain: day.rain,
                daily_radiation: day.daily_radiation,
                sunshine: day.sunshine,
            };
            (row, named(day.date.to_string()))
        });
        let months = climate.months.iter().map(|month| {
            let row = climate_month::Model {
                cooperative: owner.to_string(),
                month: i64::from(month.month),
                air_temperature_max: month.air_temperature_max,
                air_temperature_min: month.air_temperature_min,
                rain: month.rain,
                daily_radiation: month.daily_radiation,
                sunshine: month.sunshine,
            };
            (row, named(format!("month {}", month.month)))
        });
        let of_days = put::<climate_day::Entity>(self, days.collect()).await?;
        let of_months = put::<climate_month::Entity>(self, months.collect()).await?;
        Ok(of_days.with(of_months))
    }
}

fn day_from_row(row: &climate_day::Model) -> Result<ClimateDay, FactsError> {
    Ok(ClimateDay {
        date: RowReader::new("climate_day", &row.cooperative).day(&row.day)?,
        air_temperature_max: row.air_temperature_max,
        air_temperature_min: row.air_temperature_min,
        rain: row.rain,
        daily_radiation: row.daily_radiation,
        sunshine: row.sunshine,
    })
}

fn month_from_row(row: &climate_month::Model) -> Result<ClimateMonth, FactsError> {
    let read = RowReader::new("climate_month", &row.cooperative);
    let month = i8::try_from(row.month).ok().filter(|month| (1..=12).contains(month));
    Ok(ClimateMonth {
        month: month.ok_or_else(|| read.damaged(row.month, "a month, 1-12"))?,
        air_temperature_max: row.air_temperature_max,
        air_temperature_min: row.air_temperature_min,
        rain: row.rain,
        daily_radiation: row.daily_radiation,
        sunshine: row.sunshine,
    })
}
