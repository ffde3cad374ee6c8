//! Plots: pieces of land, found by key, cooperative, words or a box on the map.

use plotwise_config::{
    id::{CooperativeId, PlotId},
    land::Place,
    records::{Official, OrderedMeasure, Plot},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, Func, LikeExpr},
};

use super::{
    Changes, Facts, FactsError,
    cooperatives::refuse_while_in_use,
    entity::{outcome, placement, plot, sample, season},
    row::{RowReader, json_of, text_of},
    write::{Named, Writing, put},
};

/// Which plots; an absent part asks for nothing.
#[derive(Clone, Debug, Default)]
pub struct PlotFilter {
    /// Of one cooperative.
    pub cooperative: Option<CooperativeId>,
    /// Touching a box: west, south, east, north in degrees.
    pub bbox: Option<[f64; 4]>,
    /// Words in key, name, village or household, whatever their case.
    pub text: Option<String>,
    /// Only those after this key: the next page of a list.
    pub after: Option<PlotId>,
    /// At most so many.
    pub limit: Option<u64>,
}

impl PlotFilter {
    fn condition(&self) -> Condition {
        let cooperative =
            self.cooperative.as_ref().map(|id| plot::Column::Cooperative.eq(id.as_str()));
        let after = self.after.as_ref().map(|id| plot::Column::Id.gt(id.as_str()));
        let within = self.bbox.map(|[west, south, east, north]| {
            Condition::all()
                .add(plot::Column::West.lte(east))
                .add(plot::Column::East.gte(west))
                .add(plot::Column::South.lte(north))
                .add(plot::Column::North.gte(south))
        });
        Condition::all()
            .add_option(cooperative)
            .add_option(after)
            .add_option(within)
            .add_option(self.text.as_deref().map(holds_words))
    }
}

fn holds_words(text: &str) -> Condition {
    use plot::Column::{Household, Id, Name, Village};
    let columns = [Id, Name, Village, Household];
    columns.into_iter().fold(Condition::any(), |any, column| any.add(holds(column, text)))
}

/// Whether a column holds the text; `lower` on both sides because only SQLite's LIKE forgets case.
pub(super) fn holds(column: impl ColumnTrait, text: &str) -> Expr {
    let escaped = text.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    let column = Expr::col(column.as_column_ref());
    Expr::expr(Func::lower(column)).like(LikeExpr::new(format!("%{escaped}%")).escape('\\'))
}

impl Facts {
    /// Plots in order of their key.
    ///
    /// # Errors
    ///
    /// [`FactsError::Database`], [`FactsError::Damaged`].
    pub async fn plots(&self, filter: &PlotFilter) -> Result<Vec<Plot>, FactsError> {
        let query = plot::Entity::find()
            .filter(filter.condition())
            .order_by_asc(plot::Column::Id)
            .limit(filter.limit);
        query.all(&self.database).await?.into_iter().map(from_row).collect()
    }

    /// The plot with this key.
    ///
    /// # Errors
    ///
    /// [`FactsError::Database`], [`FactsError::Damaged`].
    pub async fn plot(&self, id: &PlotId) -> Result<Option<Plot>, FactsError> {
        let row = plot::Entity::find_by_id(id.as_str()).one(&self.database).await?;
        row.map(from_row).transpose()
    }

    /// Adds or changes plots.
    ///
    /// # Errors
    ///
    /// [`FactsError::NoSuchOwner`] for an unknown cooperative; [`FactsError::Database`]. Chunks
    /// written before the error stay.
    pub async fn put_plots(&self, records: &[Plot]) -> Result<Changes, FactsError> {
        let rows = records.iter().map(|record| {
            let named = Named { record: format!("plot {}", record.id), owner: "cooperative" };
            (to_row(record), named)
        });
        put::<plot::Entity>(self, rows.collect()).await
    }

    /// Removes a plot of which nothing is known but the plot itself; whether it was there. Advice
    /// that was kept for it goes too.
    ///
    /// # Errors
    ///
    /// [`FactsError::InUse`] while devices stand or stood there, or it has seasons, outcomes or
    /// samples; [`FactsError::Database`].
    pub async fn remove_plot(&self, id: &PlotId) -> Result<bool, FactsError> {
        let writing = Writing::begin(self).await?;
        let on = &writing.transaction;
        let name = id.as_str();
        let placements =
            placement::Entity::find().filter(placement::Column::Plot.eq(name)).count(on).await?;
        let seasons =
            season::Entity::find().filter(season::Column::Plot.eq(name)).count(on).await?;
        let outcomes =
            outcome::Entity::find().filter(outcome::Column::Plot.eq(name)).count(on).await?;
        let samples =
            sample::Entity::find().filter(sample::Column::Plot.eq(name)).count(on).await?;
        let holdings = [
            (placements, "placements"),
            (seasons, "seasons"),
            (outcomes, "outcomes"),
            (samples, "samples"),
        ];
        refuse_while_in_use("plot", name, &holdings)?;
        let removed = plot::Entity::delete_by_id(name).exec(on).await?.rows_affected > 0;
        writing.finish(removed).await?;
        Ok(removed)
    }
}

/// West, south, east, north of all corners; the centre itself where there are none.
fn bounds(record: &Plot) -> [f64; 4] {
    let Place { latitude, longitude } = record.centre;
    let start = [longitude, latitude, longitude, latitude];
    let corners = record.polygons.iter().flatten().flatten();
    corners.fold(start, |[west, south, east, north], [x, y]| {
        [west.min(*x), south.min(*y), east.max(*x), north.max(*y)]
    })
}

fn to_row(record: &Plot) -> plot::Model {
    let [west, south, east, north] = bounds(record);
    let class = record.soil_class.as_ref();
    let measure = record.measure.as_ref();
    plot::Model {
        id: record.id.to_string(),
        cooperative: record.cooperative.to_string(),
        name: record.name.clone(),
        geometry: json_of(&record.polygons),
        west,
        south,
        east,
        north,
        latitude: record.centre.latitude,
        longitude: record.centre.longitude,
        area_m2: record.area_m2,
        contract_area_mu: record.contract_area_mu,
        land_type: record.land_type.to_string(),
        protection: json_of(&record.protection),
        protection_date: text_of(record.protection_date),
        soil_class: text_of(class.map(|class| class.value)),
        soil_class_document: class.and_then(|class| class.document.clone()),
        soil_class_date: text_of(class.and_then(|class| class.date)),
        measure: text_of(measure.map(|measure| measure.measure)),
        measure_document: measure.and_then(|measure| measure.document.clone()),
        measure_from: text_of(measure.and_then(|measure| measure.from)),
        measure_to: text_of(measure.and_then(|measure| measure.to)),
        village: record.village.clone(),
        household: record.household.clone(),
        soil_texture: text_of(record.soil_texture),
        drainage: text_of(record.drainage),
        water: text_of(record.water),
        slope_percent: record.slope_percent,
        soil_depth_cm: record.soil_depth_cm,
        codes: json_of(&record.codes),
    }
}

fn from_row(row: plot::Model) -> Result<Plot, FactsError> {
    let read = RowReader::new("plot", &row.id);
    let class = read.word_if(row.soil_class.as_deref(), "a soil class")?;
    let class_date = read.day_if(row.soil_class_date.as_deref())?;
    let measure = read.word_if(row.measure.as_deref(), "a measure")?;
    let measure_from = read.day_if(row.measure_from.as_deref())?;
    let measure_to = read.day_if(row.measure_to.as_deref())?;
    Ok(Plot {
        id: read.word(&row.id, "a plot's key")?,
        cooperative: read.word(&row.cooperative, "a cooperative's key")?,
        name: row.name,
        polygons: read.json(&row.geometry, "polygons as lists of rings")?,
        centre: Place { latitude: row.latitude, longitude: row.longitude },
        area_m2: row.area_m2,
        contract_area_mu: row.contract_area_mu,
        land_type: read.word(&row.land_type, "a land type")?,
        protection: read.json(&row.protection, "a list of protections")?,
        protection_date: read.day_if(row.protection_date.as_deref())?,
        soil_class: class.map(|value| Official {
            value,
            document: row.soil_class_document,
            date: class_date,
        }),
        measure: measure.map(|measure| OrderedMeasure {
            measure,
            document: row.measure_document,
            from: measure_from,
            to: measure_to,
        }),
        village: row.village,
        household: row.household,
        soil_texture: read.word_if(row.soil_texture.as_deref(), "a soil texture")?,
        drainage: read.word_if(row.drainage.as_deref(), "a drainage class")?,
        water: read.word_if(row.water.as_deref(), "a water regime")?,
        slope_percent: row.slope_percent,
        soil_depth_cm: row.soil_depth_cm,
        codes: read.json(&row.codes, "codes by scheme")?,
    })
}
