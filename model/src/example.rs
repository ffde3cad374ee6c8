//! A made-up cooperative near Ningxiang with one plot, for tests.

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use plotwise_config::{
    catalogue::Catalogue,
    day::{DayStatistics, DaySummary},
    id::{CooperativeId, CropKey, PlotId, VarietyKey},
    land::{
        Disease, Drainage, LandType, Measure, Place, Protection, Severity, SoilClass, SoilTexture,
        Water,
    },
    reading::DepthMm,
    records::{
        Climate, ClimateMonth, Cooperative, Measured, Official, OrderedMeasure, Organ, Outcome,
        OutcomeStatus, Plot, Price, Sample, SampleKind, Season, SoldAs,
    },
};

use crate::{
    advice::Advice,
    advise::advise,
    dossier::{Dossier, Harvest, Question, Surroundings},
    yields::LocalMeans,
};

pub(crate) fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub(crate) fn crop_key(key: &str) -> CropKey {
    CropKey::parse(key).unwrap()
}

pub(crate) fn variety_key(key: &str) -> VarietyKey {
    VarietyKey::parse(key).unwrap()
}

/// The shipped catalogue, read once.
pub(crate) fn shipped() -> &'static Catalogue {
    static SHIPPED: std::sync::OnceLock<Catalogue> = std::sync::OnceLock::new();
    SHIPPED.get_or_init(|| Catalogue::shipped().unwrap())
}

/// A cooperative, its plot, and the day that advice is asked for.
#[derive(Clone)]
pub(crate) struct Example {
    pub(crate) surroundings: Surroundings,
    pub(crate) dossier: Dossier,
    pub(crate) on: Date,
}

impl Example {
    /// Well drained loamy dry land, pH 5.8, clean by its samples, advice asked for on 1 March.
    pub(crate) fn dry_land() -> Self {
        let cooperative = Cooperative {
            id: CooperativeId::parse("ningxiang").unwrap(),
            name: "Ningxiang".to_owned(),
            timezone: "Asia/Shanghai".to_owned(),
            place: Some(Place { latitude: 28.25, longitude: 112.55 }),
            simulated: true,
        };
        let plot = Plot {
            id: PlotId::parse("nx-012").unwrap(),
            cooperative: cooperative.id.clone(),
            name: "Tangwan 3".to_owned(),
            polygons: Vec::new(),
            centre: Place { latitude: 28.25, longitude: 112.55 },
            area_m2: 2000.0,
            contract_area_mu: None,
            land_type: LandType::Dry,
            protection: vec![Protection::Ordinary],
            protection_date: None,
            soil_class: None,
            measure: None,
            village: Some("Yuxin".to_owned()),
            household: Some("Li".to_owned()),
            soil_texture: Some(SoilTexture::Loam),
            drainage: Some(Drainage::Good),
            water: Some(Water::RainFed),
            slope_percent: Some(3.0),
            soil_depth_cm: Some(90.0),
            codes: std::collections::BTreeMap::new(),
        };
        let on = day("2026-03-01");
        let example = Self {
            surroundings: Surroundings {
                cooperative,
                harvests: Vec::new(),
                prices: Vec::new(),
                climate: climate(),
            },
            dossier: Dossier {
                plot,
                days: Vec::new(),
                window: (day("2025-03-01"), day("2026-02-28")),
                samples: Vec::new(),
                seasons: Vec::new(),
            },
            on,
        };
        example.ph(5.8).metals(0.1)
    }

    /// Former paddy under structure adjustment.
    pub(crate) fn former_paddy(drainage: Drainage, water: Water) -> Self {
        let mut example = Self::dry_land();
        example.dossier.plot.land_type = LandType::Paddy;
        example.dossier.plot.drainage = Some(drainage);
        example.dossier.plot.water = Some(water);
        example.measure(Measure::StructureAdjustment)
    }

    pub(crate) fn measure(mut self, measure: Measure) -> Self {
        self.dossier.plot.measure = Some(OrderedMeasure {
            measure,
            document: Some("2024-17".to_owned()),
            from: Some(day("2024-01-01")),
            to: None,
        });
        self
    }

    pub(crate) fn official(mut self, class: SoilClass) -> Self {
        self.dossier.plot.soil_class =
            Some(Official { value: class, document: Some("2023-5".to_owned()), date: None });
        self
    }

    /// Takes the place of every earlier figure of the quantity.
    pub(crate) fn soil(mut self, quantity: &str, value: f64) -> Self {
        let quantity = shipped().quantity_no(quantity).unwrap();
        let kind = SampleKind::Soil { sampled_on: day("2025-11-01"), depth_m: 0.2 };
        self.dossier.samples.retain(|sample| sample.quantity != quantity || sample.kind != kind);
        self.dossier.samples.push(Sample {
            plot: self.dossier.plot.id.clone(),
            kind,
            quantity,
            measured: Measured::Value(value),
            laboratory: None,
            method: None,
        });
        self
    }

    pub(crate) fn ph(self, ph: f64) -> Self {
        self.soil("soil_ph", ph)
    }

    /// Cadmium as given, the others low.
    pub(crate) fn metals(self, cadmium: f64) -> Self {
        self.soil("cadmium", cadmium)
            .soil("mercury", 0.1)
            .soil("arsenic", 8.0)
            .soil("lead", 25.0)
            .soil("chromium", 60.0)
    }

    /// Cadmium in produce, mg/kg.
    pub(crate) fn produce(mut self, season: &str, organ: Organ, value: f64) -> Self {
        self.dossier.samples.push(Sample {
            plot: self.dossier.plot.id.clone(),
            kind: SampleKind::Produce { season_start: day(season), organ },
            quantity: shipped().quantity_no("cadmium").unwrap(),
            measured: Measured::Value(value),
            laboratory: None,
            method: None,
        });
        self
    }

    pub(crate) fn season(mut self, crop: &str, start: &str, end: Option<&str>) -> Self {
        self.dossier.seasons.push(Season {
            plot: self.dossier.plot.id.clone(),
            start: day(start),
            end: end.map(day),
            crop: crop_key(crop),
            variety: None,
            water: None,
            disease: None,
            confirmed_by: None,
        });
        self
    }

    pub(crate) fn disease(self, disease: Disease, crop: &str, start: &str, end: &str) -> Self {
        let mut example = self.season(crop, start, Some(end));
        let season = example.dossier.seasons.last_mut().unwrap();
        season.disease = Some((disease, Some(Severity::Moderate)));
        example
    }

    pub(crate) fn price(mut self, crop: &str, sold_as: SoldAs, per_kg: f64, cost: f64) -> Self {
        self.surroundings.prices.push(Price {
            cooperative: self.surroundings.cooperative.id.clone(),
            crop: crop_key(crop),
            sold_as,
            price_per_kg: per_kg,
            currency: "CNY".to_owned(),
            variety: None,
            buyer: None,
            max_t: None,
            cost_per_mu: Some(cost),
            from: None,
            to: None,
        });
        self
    }

    /// Harvests of one variety of sweet potato: year, household, kg/ha.
    pub(crate) fn harvests(mut self, variety: &str, harvests: &[(i16, &str, f64)]) -> Self {
        self.surroundings.harvests.extend(
            harvests
                .iter()
                .map(|(year, household, kg_ha)| harvest(variety, *year, household, *kg_ha)),
        );
        self
    }

    /// A strip of several varieties on one plot.
    pub(crate) fn strip(mut self, name: &str, year: i16, yields: &[(&str, f64)]) -> Self {
        for (variety, kg_ha) in yields {
            let mut row = harvest(variety, year, "Zhou", *kg_ha);
            row.outcome.strip = Some(name.to_owned());
            self.surroundings.harvests.push(row);
        }
        self
    }

    /// A year of saturated topsoil.
    pub(crate) fn flooded_year(&self) -> Vec<DaySummary> {
        let quantity = shipped().quantity_no("soil_moisture").unwrap();
        let (first, last) = self.dossier.window;
        let days = first.series(1.day()).take_while(|day| *day <= last);
        let wet = 0.46;
        let statistics =
            Some(DayStatistics { mean: wet, min: wet, max: wet, p10: wet, p50: wet, p90: wet });
        let summary = |day| DaySummary {
            day,
            quantity,
            depth: DepthMm::from_metres(0.1),
            count: 24,
            flagged: 0,
            covered_s: 86_400,
            integral: wet * 86_400.0,
            statistics,
        };
        days.map(summary).collect()
    }

    pub(crate) fn advise(&self) -> Advice {
        let catalogue = shipped();
        let yields = LocalMeans::fit(catalogue, &self.surroundings.harvests, self.on);
        let made_at: Timestamp = self.on.to_zoned(TimeZone::UTC).unwrap().timestamp();
        let question = Question { made_at, on: self.on };
        advise(catalogue, &self.surroundings, &yields, &self.dossier, question)
    }
}

pub(crate) fn harvest(variety: &str, year: i16, household: &str, kg_ha: f64) -> Harvest {
    Harvest {
        outcome: Outcome {
            plot: PlotId::parse(&format!("p-{household}")).unwrap(),
            season_start: Date::new(year, 5, 10).unwrap(),
            season_end: Date::new(year, 10, 20).unwrap(),
            crop: crop_key("sweet_potato"),
            variety: variety_key(variety),
            yield_kg_ha: kg_ha,
            planted_on: None,
            harvested_on: None,
            area_mu: None,
            method: None,
            marketable_percent: None,
            dry_matter_percent: None,
            status: if kg_ha > 0.0 { OutcomeStatus::Harvested } else { OutcomeStatus::Failed },
            water: None,
            disease: None,
            why_chosen: None,
            strip: None,
            note: None,
        },
        village: Some("Yuxin".to_owned()),
        household: Some(household.to_owned()),
        drainage: Some(Drainage::Good),
    }
}

/// Monthly normals of Changsha: mean and daily range of WMO 576870, rain likewise.
fn climate() -> Climate {
    let mean = [5.7, 8.1, 13.0, 18.5, 22.8, 26.5, 29.8, 28.9, 25.0, 19.4, 13.8, 7.7];
    let rain = [79.0, 88.0, 148.0, 173.0, 204.0, 232.0, 157.0, 115.0, 83.0, 65.0, 83.0, 55.0];
    let months =
        (1i8..).zip(mean.into_iter().zip(rain)).map(|(month, (mean, rain))| ClimateMonth {
            month,
            air_temperature_max: mean + 3.2,
            air_temperature_min: mean - 3.2,
            rain,
            daily_radiation: None,
            sunshine: None,
        });
    Climate { days: Vec::new(), months: months.collect() }
}
