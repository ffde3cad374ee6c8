//! The tables as sea-orm sees them.
//!
//! Column types are those that SQLite and PostgreSQL share: text, double, big integer, boolean. Days
//! are ISO text, moments milliseconds since 1970, words their catalogue keys, lists JSON text. In a
//! primary key an absent word is the empty text, because NULL never equals NULL.
//!
//! Invariant: the order and names of columns follow [`super::migration`]; a test reads every table.

#![expect(unreachable_pub, reason = "sea-orm's derive wants public rows")]

/// Defines a table: its row, and the relation and behaviour that sea-orm asks for.
macro_rules! table {
    ($(#[$doc:meta])* $module:ident $name:literal { $( $(#[$attribute:meta])* $column:ident: $kind:ty, )+ }) => {
        $(#[$doc])*
        pub mod $module {
            use sea_orm::entity::prelude::*;

            #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
            #[sea_orm(table_name = $name)]
            pub struct Model {
                $( $(#[$attribute])* pub $column: $kind, )+
            }

            #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
            pub enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}
        }
    };
}

table! {
    /// A tenant.
    cooperative "cooperative" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: String,
        name: String,
        timezone: String,
        latitude: Option<f64>,
        longitude: Option<f64>,
        simulated: bool,
    }
}

table! {
    /// A piece of land; `geometry` is JSON, the box around it stands in columns for the map.
    plot "plot" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: String,
        cooperative: String,
        name: String,
        geometry: String,
        west: f64,
        south: f64,
        east: f64,
        north: f64,
        latitude: f64,
        longitude: f64,
        area_m2: f64,
        contract_area_mu: Option<f64>,
        land_type: String,
        protection: String,
        protection_date: Option<String>,
        soil_class: Option<String>,
        soil_class_document: Option<String>,
        soil_class_date: Option<String>,
        measure: Option<String>,
        measure_document: Option<String>,
        measure_from: Option<String>,
        measure_to: Option<String>,
        village: Option<String>,
        household: Option<String>,
        soil_texture: Option<String>,
        drainage: Option<String>,
        water: Option<String>,
        slope_percent: Option<f64>,
        soil_depth_cm: Option<f64>,
        codes: String,
    }
}

table! {
    /// A sensor node or gateway.
    device "device" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: String,
        cooperative: String,
        name: Option<String>,
        profile: String,
        is_gateway: bool,
    }
}

table! {
    /// Where a device stands from a moment on.
    placement "placement" {
        #[sea_orm(primary_key, auto_increment = false)]
        device: String,
        #[sea_orm(primary_key, auto_increment = false)]
        from_ms: i64,
        plot: Option<String>,
        depth_mm: Option<i64>,
    }
}

table! {
    /// What a device's token hashes to; the token itself is never kept.
    token "token" {
        #[sea_orm(primary_key, auto_increment = false)]
        device: String,
        sha256: String,
        created_ms: i64,
    }
}

table! {
    /// What stood on a plot.
    season "season" {
        #[sea_orm(primary_key, auto_increment = false)]
        plot: String,
        #[sea_orm(primary_key, auto_increment = false)]
        start_day: String,
        end_day: Option<String>,
        crop: String,
        variety: Option<String>,
        water: Option<String>,
        disease: Option<String>,
        severity: Option<String>,
        confirmed_by: Option<String>,
    }
}

table! {
    /// What a plot yielded; varieties of a strip share plot and season.
    outcome "outcome" {
        #[sea_orm(primary_key, auto_increment = false)]
        plot: String,
        #[sea_orm(primary_key, auto_increment = false)]
        season_start: String,
        #[sea_orm(primary_key, auto_increment = false)]
        crop: String,
        #[sea_orm(primary_key, auto_increment = false)]
        variety: String,
        #[sea_orm(primary_key, auto_increment = false)]
        strip: String,
        season_end: String,
        yield_kg_ha: f64,
        planted_on: Option<String>,
        harvested_on: Option<String>,
        area_mu: Option<f64>,
        method: Option<String>,
        marketable_percent: Option<f64>,
        dry_matter_percent: Option<f64>,
        status: String,
        water: Option<String>,
        disease: Option<String>,
        why_chosen: Option<String>,
        note: Option<String>,
    }
}

table! {
    /// A laboratory's figure; `part` is the depth in m of soil, the organ of produce.
    sample "sample" {
        #[sea_orm(primary_key, auto_increment = false)]
        plot: String,
        #[sea_orm(primary_key, auto_increment = false)]
        kind: String,
        #[sea_orm(primary_key, auto_increment = false)]
        taken_on: String,
        #[sea_orm(primary_key, auto_increment = false)]
        part: String,
        #[sea_orm(primary_key, auto_increment = false)]
        quantity: String,
        #[sea_orm(primary_key, auto_increment = false)]
        laboratory: String,
        value: f64,
        is_below: bool,
        method: Option<String>,
    }
}

table! {
    /// What a buyer pays.
    price "price" {
        #[sea_orm(primary_key, auto_increment = false)]
        cooperative: String,
        #[sea_orm(primary_key, auto_increment = false)]
        crop: String,
        #[sea_orm(primary_key, auto_increment = false)]
        sold_as: String,
        #[sea_orm(primary_key, auto_increment = false)]
        variety: String,
        #[sea_orm(primary_key, auto_increment = false)]
        buyer: String,
        #[sea_orm(primary_key, auto_increment = false)]
        from_day: String,
        price_per_kg: f64,
        currency: String,
        max_t: Option<f64>,
        cost_per_mu: Option<f64>,
        to_day: Option<String>,
    }
}

table! {
    /// A day's weather.
    climate_day "climate_day" {
        #[sea_orm(primary_key, auto_increment = false)]
        cooperative: String,
        #[sea_orm(primary_key, auto_increment = false)]
        day: String,
        air_temperature_max: f64,
        air_temperature_min: f64,
        rain: f64,
        daily_radiation: Option<f64>,
        sunshine: Option<f64>,
    }
}

table! {
    /// A month's normal.
    climate_month "climate_month" {
        #[sea_orm(primary_key, auto_increment = false)]
        cooperative: String,
        #[sea_orm(primary_key, auto_increment = false)]
        month: i64,
        air_temperature_max: f64,
        air_temperature_min: f64,
        rain: f64,
        daily_radiation: Option<f64>,
        sunshine: Option<f64>,
    }
}

table! {
    /// Advice as it was given, with the model that gave it.
    advice "advice" {
        #[sea_orm(primary_key)]
        id: i64,
        plot: String,
        made_at_ms: i64,
        model: Option<String>,
        document: String,
    }
}

table! {
    /// One row: how often facts have changed.
    change "change" {
        #[sea_orm(primary_key, auto_increment = false)]
        id: i64,
        revision: i64,
    }
}
