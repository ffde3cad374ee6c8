//! How the tables came to be, step by step.
//!
//! A migration that has landed is never edited: it describes the past, so it names its columns itself
//! and does not ask [`super::entity`]. A database that carries a migration which is not listed here
//! was written by a newer program and is refused by [`super::Facts::open`].

use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, big_integer_null, big_pk_auto, boolean, double, double_null, text, text_null,
    },
};

/// Every migration, oldest first.
pub(super) struct Migrations;

impl MigratorTrait for Migrations {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(FirstTables)]
    }
}

/// The tables of the first version.
struct FirstTables;

impl MigrationName for FirstTables {
    fn name(&self) -> &'static str {
        "m0001_first_tables"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for FirstTables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in first_tables() {
            manager.create_table(table.into_statement()).await?;
        }
        for (table, columns) in INDEXES {
            let mut index = Index::create();
            index.if_not_exists().name(format!("{table}_by_{}", columns.join("_"))).table(*table);
            for column in *columns {
                index.col(*column);
            }
            manager.create_index(index).await?;
        }
        let first = Query::insert()
            .into_table("change")
            .columns(["id", "revision"])
            .values_panic([1_i64.into(), 0_i64.into()])
            .on_conflict(OnConflict::column("id").do_nothing().to_owned())
            .to_owned();
        manager.execute(first).await
    }
}

/// Columns that are searched without the primary key's help.
const INDEXES: &[(&str, &[&str])] = &[
    ("plot", &["cooperative"]),
    ("plot", &["west", "south"]),
    ("device", &["cooperative"]),
    ("placement", &["plot"]),
    ("advice", &["plot", "made_at_ms"]),
];

/// A table: its columns, primary key, and the rows that own its rows.
struct Table {
    name: &'static str,
    columns: Vec<ColumnDef>,
    /// Empty where a column is the key by itself.
    key: &'static [&'static str],
    owners: &'static [(&'static str, &'static str, ForeignKeyAction)],
}

impl Table {
    fn into_statement(self) -> TableCreateStatement {
        let mut statement = sea_query::Table::create();
        statement.table(self.name).if_not_exists();
        for column in self.columns {
            statement.col(column);
        }
        if !self.key.is_empty() {
            let mut key = Index::create();
            for column in self.key {
                key.col(*column);
            }
            statement.primary_key(&mut key);
        }
        for (column, owner, on_delete) in self.owners {
            let mut owned = ForeignKey::create();
            owned.from(self.name, *column).to(*owner, "id").on_delete(*on_delete);
            statement.foreign_key(&mut owned);
        }
        statement
    }
}

/// In the order in which they refer to each other.
#[expect(clippy::too_many_lines, reason = "a list of tables is data")]
fn first_tables() -> Vec<Table> {
    vec![
        Table {
            name: "cooperative",
            columns: vec![
                text("id"),
                text("name"),
                text("timezone"),
                double_null("latitude"),
                double_null("longitude"),
                boolean("simulated"),
            ],
            key: &["id"],
            owners: &[],
        },
        Table {
            name: "plot",
            columns: vec![
                text("id"),
                text("cooperative"),
                text("name"),
                text("geometry"),
                double("west"),
                double("south"),
                double("east"),
                double("north"),
                double("latitude"),
                double("longitude"),
                double("area_m2"),
                double_null("contract_area_mu"),
                text("land_type"),
                text("protection"),
                text_null("protection_date"),
                text_null("soil_class"),
                text_null("soil_class_document"),
                text_null("soil_class_date"),
                text_null("measure"),
                text_null("measure_document"),
                text_null("measure_from"),
                text_null("measure_to"),
                text_null("village"),
                text_null("household"),
                text_null("soil_texture"),
                text_null("drainage"),
                text_null("water"),
                double_null("slope_percent"),
                double_null("soil_depth_cm"),
                text("codes"),
            ],
            key: &["id"],
            owners: &[("cooperative", "cooperative", ForeignKeyAction::Restrict)],
        },
        Table {
            name: "device",
            columns: vec![
                text("id"),
                text("cooperative"),
                text_null("name"),
                text("profile"),
                boolean("is_gateway"),
            ],
            key: &["id"],
            owners: &[("cooperative", "cooperative", ForeignKeyAction::Restrict)],
        },
        Table {
            name: "placement",
            columns: vec![
                text("device"),
                big_integer("from_ms"),
                text_null("plot"),
                big_integer_null("depth_mm"),
            ],
            key: &["device", "from_ms"],
            owners: &[
                ("device", "device", ForeignKeyAction::Cascade),
                ("plot", "plot", ForeignKeyAction::Restrict),
            ],
        },
        Table {
            name: "token",
            columns: vec![text("device"), text("sha256"), big_integer("created_ms")],
            key: &["device"],
            owners: &[("device", "device", ForeignKeyAction::Cascade)],
        },
        Table {
            name: "season",
            columns: vec![
                text("plot"),
                text("start_day"),
                text_null("end_day"),
                text("crop"),
                text_null("variety"),
                text_null("water"),
                text_null("disease"),
                text_null("severity"),
                text_null("confirmed_by"),
            ],
            key: &["plot", "start_day"],
            owners: &[("plot", "plot", ForeignKeyAction::Restrict)],
        },
        Table {
            name: "outcome",
            columns: vec![
                text("plot"),
                text("season_start"),
                text("crop"),
                text("variety"),
                text("strip"),
                text("season_end"),
                double("yield_kg_ha"),
                text_null("planted_on"),
                text_null("harvested_on"),
                double_null("area_mu"),
                text_null("method"),
                double_null("marketable_percent"),
                double_null("dry_matter_percent"),
                text("status"),
                text_null("water"),
                text_null("disease"),
                text_null("why_chosen"),
                text_null("note"),
            ],
            key: &["plot", "season_start", "crop", "variety", "strip"],
            owners: &[("plot", "plot", ForeignKeyAction::Restrict)],
        },
        Table {
            name: "sample",
            columns: vec![
                text("plot"),
                text("kind"),
                text("taken_on"),
                text("part"),
                text("quantity"),
                text("laboratory"),
                double("value"),
                boolean("is_below"),
                text_null("method"),
            ],
            key: &["plot", "kind", "taken_on", "part", "quantity", "laboratory"],
            owners: &[("plot", "plot", ForeignKeyAction::Restrict)],
        },
        Table {
            name: "price",
            columns: vec![
                text("cooperative"),
                text("crop"),
                text("sold_as"),
                text("variety"),
                text("buyer"),
                text("from_day"),
                double("price_per_kg"),
                text("currency"),
                double_null("max_t"),
                double_null("cost_per_mu"),
                text_null("to_day"),
            ],
            key: &["cooperative", "crop", "sold_as", "variety", "buyer", "from_day"],
            owners: &[("cooperative", "cooperative", ForeignKeyAction::Restrict)],
        },
        Table {
            name: "climate_day",
            columns: vec![
                text("cooperative"),
                text("day"),
                double("air_temperature_max"),
                double("air_temperature_min"),
                double("rain"),
                double_null("daily_radiation"),
                double_null("sunshine"),
            ],
            key: &["cooperative", "day"],
            owners: &[("cooperative", "cooperative", ForeignKeyAction::Cascade)],
        },
        Table {
            name: "climate_month",
            columns: vec![
                text("cooperative"),
                big_integer("month"),
                double("air_temperature_max"),
                double("air_temperature_min"),
                double("rain"),
                double_null("daily_radiation"),
                double_null("sunshine"),
            ],
            key: &["cooperative", "month"],
            owners: &[("cooperative", "cooperative", ForeignKeyAction::Cascade)],
        },
        Table {
            name: "advice",
            columns: vec![
                big_pk_auto("id"),
                text("plot"),
                big_integer("made_at_ms"),
                text_null("model"),
                text("document"),
            ],
            key: &[],
            owners: &[("plot", "plot", ForeignKeyAction::Cascade)],
        },
        Table {
            name: "change",
            columns: vec![big_integer("id"), big_integer("revision")],
            key: &["id"],
            owners: &[],
        },
    ]
}
