//! What a laboratory found: soil of nearly every plot, and produce of a few.
//!
//! Metals other than cadmium stay near the region's background; cadmium is the plot's own. Figures
//! carry a laboratory's error, and small ones come as "below the limit of detection".

use jiff::{Span, civil::Date};
use plotwise_config::{
    catalogue::Catalogue,
    records::{Measured, Organ, Sample, SampleKind},
};

use super::{
    World,
    chance::{normal, share},
    land::{Ground, Role},
    practice::Standing,
};

/// Quantity key, middle of the background, spread of its logarithm, limit of detection; mg/kg.
/// Our choice, below the screening values of acid paddies.
const METALS: [(&str, f64, f64, f64); 7] = [
    ("mercury", 0.09, 0.35, 0.05),
    ("arsenic", 12.0, 0.22, 0.4),
    ("lead", 32.0, 0.20, 2.0),
    ("chromium", 68.0, 0.20, 4.0),
    ("copper", 25.0, 0.18, 1.0),
    ("nickel", 28.0, 0.18, 3.0),
    ("zinc", 92.0, 0.18, 1.0),
];
/// Limit of detection of cadmium in soil and produce, mg/kg.
const CADMIUM_LEAST: f64 = 0.03;
const CADMIUM_LEAST_PRODUCE: f64 = 0.005;
/// Depth of a soil sample, m.
const DEPTH_M: f64 = 0.2;

impl World {
    /// Laboratory figures. Quantities that the catalogue does not have are left out.
    pub fn samples(&self, catalogue: &Catalogue) -> Vec<Sample> {
        let mut samples = Vec::new();
        for (place, ground) in self.land.iter().enumerate() {
            if self.has_soil_sample(ground) {
                self.sample_soil(ground, catalogue, &mut samples);
            }
            let mut harvests = self
                .standings
                .iter()
                .filter(|standing| standing.place == place && standing.end < self.learned_until());
            let wants_produce = share(self.seed, &["produce", ground.plot.id.as_str()]) < 0.2
                || ground.role == Some(Role::FloodedPaddy);
            if let Some(standing) = harvests.next_back().filter(|_| wants_produce) {
                samples.extend(self.sample_produce(ground, standing, catalogue));
            }
        }
        samples
    }

    /// One plot in ten was never sampled; those that are shown for something were.
    fn has_soil_sample(&self, ground: &Ground) -> bool {
        ground.role.is_some() || share(self.seed, &["sampled", ground.plot.id.as_str()]) > 0.1
    }

    fn sample_soil(&self, ground: &Ground, catalogue: &Catalogue, samples: &mut Vec<Sample>) {
        let plot = ground.plot.id.as_str();
        let error = |what: &str| normal(self.seed, &["laboratory", plot, what]);
        let sampled_on = self.sampled_on(plot);
        let mut put = |key: &str, measured: Measured| {
            if let Some(quantity) = catalogue.quantity_no(key) {
                samples.push(Sample {
                    plot: ground.plot.id.clone(),
                    kind: SampleKind::Soil { sampled_on, depth_m: DEPTH_M },
                    quantity,
                    measured,
                    laboratory: Some("模拟检测站".to_owned()),
                    method: Some("模拟".to_owned()),
                });
            }
        };
        put("soil_ph", Measured::Value(rounded(ground.ph + 0.04 * error("ph"), 2)));
        let cadmium = ground.cadmium_mg_kg * (0.04 * error("cadmium")).exp();
        put("cadmium", at_least(rounded(cadmium, 3), CADMIUM_LEAST));
        for (key, middle, spread, least) in METALS {
            let value = middle * (spread * error(key).clamp(-2.0, 2.0)).exp();
            put(key, at_least(rounded(value, 3), least));
        }
    }

    /// A winter day between two seasons, within the three years before the last.
    fn sampled_on(&self, plot: &str) -> Date {
        let ago = 40.0 + 900.0 * share(self.seed, &["sampled on", plot]);
        #[expect(clippy::cast_possible_truncation, reason = "some hundreds of whole days")]
        self.last_day.saturating_sub(Span::new().days(ago as i64))
    }

    fn sample_produce(
        &self,
        ground: &Ground,
        standing: &Standing,
        catalogue: &Catalogue,
    ) -> Option<Sample> {
        let crop = standing.crop;
        let organ = match crop.key {
            "sweet_potato" | "potato" => Organ::Root,
            "chili" | "watermelon" | "mandarin" => Organ::Fruit,
            _ if crop.is_edible => Organ::Grain,
            _ => return None,
        };
        let cadmium = self.true_cadmium_mg_kg(standing.place, crop, Some(standing.year));
        Some(Sample {
            plot: ground.plot.id.clone(),
            kind: SampleKind::Produce { season_start: standing.start, organ },
            quantity: catalogue.quantity_no("cadmium")?,
            measured: at_least(rounded(cadmium, 3), CADMIUM_LEAST_PRODUCE),
            laboratory: Some("模拟检测站".to_owned()),
            method: Some("模拟".to_owned()),
        })
    }
}

fn at_least(value: f64, least: f64) -> Measured {
    if value < least { Measured::Below(least) } else { Measured::Value(value) }
}

fn rounded(value: f64, decimals: i32) -> f64 {
    let by = 10_f64.powi(decimals);
    (value * by).round() / by
}
