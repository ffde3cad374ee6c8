//! What can be grown in the world: when, how much, for how much money.
//!
//! These are the world's own figures and not the catalogue's: the middle of each response is near
//! what the region reports, and [`super::truth`] draws the true ones around it by seed. Prices and
//! costs are made up within ranges that farm pages name; costs count hired and own labour where a
//! crop needs much of it, else nobody would understand why not everyone grows chili.

use std::collections::BTreeMap;

use plotwise_config::{catalogue::Catalogue, id::VarietyKey, records::SoldAs};

/// A way to sell a crop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Market {
    pub(super) sold_as: SoldAs,
    /// Yuan per kg as delivered.
    pub(super) price: f64,
    /// Cost of growing for it, yuan per mu.
    pub(super) cost: f64,
    pub(super) buyer: &'static str,
    /// Tonnes a season that bring the full price; `None` for the open market.
    pub(super) max_t: Option<f64>,
}

/// How a crop stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// In a field, for a season.
    Field,
    /// Under water, for a season.
    Rice,
    /// For years.
    Tree,
}

/// A crop of the world.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crop {
    /// Its key in the catalogue.
    pub(super) key: &'static str,
    /// Usual days of planting and harvest, month and day.
    pub(super) window: [(i8, i8); 2],
    /// Planted in the year before it is harvested.
    pub(super) is_winter: bool,
    pub(super) form: Form,
    /// Usual yield on good land, kg per mu.
    pub(super) kg_mu: f64,
    /// Loss by wet days: exponent at a season that is wet throughout.
    pub(super) wet_loss: f64,
    /// Loss by dry soil: share at a season without any water.
    pub(super) dry_loss: f64,
    /// Where soil pH begins to cost yield, below and above.
    pub(super) ph: [f64; 2],
    /// Best mean temperature of its season, °C.
    pub(super) best_c: f64,
    /// Ratio of cadmium in what is eaten to 0.5 mg/kg in soil of pH 5.5.
    pub(super) cadmium_ratio: f64,
    /// The most cadmium that may be sold, mg/kg (GB 2762-2025, table 2); `None` where no limit is.
    pub(super) cadmium_limit: Option<f64>,
    /// Whether it is eaten or fed.
    pub(super) is_edible: bool,
    pub(super) markets: &'static [Market],
}

const fn market(
    sold_as: SoldAs,
    price: f64,
    cost: f64,
    buyer: &'static str,
    max_t: Option<f64>,
) -> Market {
    Market { sold_as, price, cost, buyer, max_t }
}

const PLAIN: Crop = Crop {
    key: "",
    window: [(4, 10), (8, 10)],
    is_winter: false,
    form: Form::Field,
    kg_mu: 0.0,
    wet_loss: 2.0,
    dry_loss: 1.0,
    ph: [5.2, 7.5],
    best_c: 24.0,
    cadmium_ratio: 0.1,
    cadmium_limit: None,
    is_edible: true,
    markets: &[],
};

const RICE: Crop = Crop {
    form: Form::Rice,
    wet_loss: 0.0,
    dry_loss: 1.2,
    ph: [4.6, 7.8],
    // Under water rice takes up less than the 0.9 of drained fields; our choice.
    cadmium_ratio: 0.40,
    cadmium_limit: Some(0.2),
    ..PLAIN
};

impl Crop {
    pub(super) fn is_rice(&self) -> bool {
        self.form == Form::Rice
    }

    pub(super) fn is_woody(&self) -> bool {
        self.form == Form::Tree
    }
}

/// Every crop of the world.
pub(super) const CROPS: &[Crop] = &[
    Crop {
        key: "rice_early",
        window: [(4, 25), (7, 16)],
        kg_mu: 410.0,
        best_c: 25.5,
        markets: &[market(SoldAs::Fresh, 2.54, 800.0, "模拟粮库", None)],
        ..RICE
    },
    Crop {
        key: "rice_late",
        window: [(7, 22), (10, 25)],
        kg_mu: 440.0,
        best_c: 26.0,
        markets: &[market(SoldAs::Fresh, 2.66, 820.0, "模拟粮库", None)],
        ..RICE
    },
    Crop {
        key: "rice_single",
        window: [(5, 18), (9, 20)],
        kg_mu: 540.0,
        best_c: 27.0,
        markets: &[market(SoldAs::Fresh, 2.62, 900.0, "模拟粮库", None)],
        ..RICE
    },
    Crop {
        key: "rapeseed",
        window: [(10, 8), (5, 5)],
        is_winter: true,
        kg_mu: 130.0,
        wet_loss: 1.4,
        dry_loss: 0.7,
        ph: [5.0, 7.8],
        best_c: 11.5,
        cadmium_ratio: 0.35,
        markets: &[market(SoldAs::Fresh, 5.9, 520.0, "模拟油坊", None)],
        ..PLAIN
    },
    Crop {
        key: "sweet_potato",
        window: [(5, 25), (10, 25)],
        kg_mu: 2250.0,
        wet_loss: 4.5,
        dry_loss: 0.75,
        ph: [4.6, 7.2],
        best_c: 25.5,
        cadmium_ratio: 0.04,
        cadmium_limit: Some(0.1),
        markets: &[
            market(SoldAs::Starch, 0.86, 1150.0, "模拟淀粉厂", Some(420.0)),
            market(SoldAs::Fresh, 1.25, 1750.0, "模拟生鲜市场", Some(110.0)),
        ],
        ..PLAIN
    },
    Crop {
        key: "maize",
        window: [(3, 28), (7, 28)],
        kg_mu: 390.0,
        wet_loss: 2.6,
        dry_loss: 1.2,
        ph: [5.2, 7.6],
        best_c: 22.5,
        cadmium_ratio: 0.11,
        cadmium_limit: Some(0.1),
        markets: &[market(SoldAs::Fresh, 2.4, 640.0, "模拟饲料厂", None)],
        ..PLAIN
    },
    Crop {
        key: "soybean",
        window: [(4, 1), (7, 12)],
        kg_mu: 155.0,
        wet_loss: 1.6,
        dry_loss: 0.9,
        ph: [5.4, 7.4],
        best_c: 22.0,
        cadmium_ratio: 0.35,
        cadmium_limit: Some(0.2),
        markets: &[market(SoldAs::Fresh, 5.6, 540.0, "模拟豆制品厂", None)],
        ..PLAIN
    },
    Crop {
        key: "peanut",
        window: [(4, 15), (8, 20)],
        kg_mu: 200.0,
        wet_loss: 3.0,
        dry_loss: 0.8,
        ph: [5.2, 7.2],
        best_c: 25.0,
        cadmium_ratio: 0.8,
        cadmium_limit: Some(0.5),
        markets: &[market(SoldAs::Fresh, 6.2, 860.0, "模拟油坊", Some(40.0))],
        ..PLAIN
    },
    Crop {
        key: "potato",
        window: [(1, 5), (5, 10)],
        kg_mu: 1450.0,
        wet_loss: 3.5,
        dry_loss: 1.0,
        ph: [4.8, 7.0],
        best_c: 12.0,
        cadmium_ratio: 0.06,
        cadmium_limit: Some(0.1),
        markets: &[market(SoldAs::Fresh, 1.5, 1650.0, "模拟生鲜市场", Some(110.0))],
        ..PLAIN
    },
    Crop {
        key: "sesame",
        window: [(5, 25), (9, 5)],
        kg_mu: 72.0,
        wet_loss: 3.6,
        dry_loss: 0.7,
        ph: [5.4, 7.6],
        best_c: 27.5,
        cadmium_ratio: 0.3,
        markets: &[market(SoldAs::Fresh, 13.0, 560.0, "模拟油坊", Some(8.0))],
        ..PLAIN
    },
    Crop {
        key: "chili",
        window: [(4, 20), (9, 30)],
        kg_mu: 1550.0,
        wet_loss: 3.6,
        dry_loss: 1.2,
        ph: [5.4, 7.4],
        best_c: 25.0,
        cadmium_ratio: 0.08,
        cadmium_limit: Some(0.05),
        markets: &[market(SoldAs::Fresh, 2.4, 3000.0, "模拟生鲜市场", Some(40.0))],
        ..PLAIN
    },
    Crop {
        key: "watermelon",
        window: [(4, 20), (7, 20)],
        kg_mu: 2150.0,
        wet_loss: 4.0,
        dry_loss: 0.8,
        ph: [5.2, 7.4],
        best_c: 24.5,
        cadmium_ratio: 0.01,
        cadmium_limit: Some(0.05),
        markets: &[market(SoldAs::Fresh, 1.4, 2500.0, "模拟生鲜市场", Some(80.0))],
        ..PLAIN
    },
    Crop {
        key: "cotton",
        window: [(4, 25), (10, 25)],
        kg_mu: 240.0,
        wet_loss: 2.6,
        dry_loss: 0.8,
        ph: [5.4, 8.0],
        best_c: 25.5,
        is_edible: false,
        markets: &[market(SoldAs::Fresh, 7.0, 1450.0, "模拟轧花厂", None)],
        ..PLAIN
    },
    Crop {
        key: "ramie",
        window: [(3, 10), (10, 20)],
        kg_mu: 165.0,
        wet_loss: 2.4,
        dry_loss: 0.8,
        ph: [5.0, 7.4],
        best_c: 23.0,
        is_edible: false,
        markets: &[market(SoldAs::Dried, 9.5, 1250.0, "模拟麻纺厂", Some(12.0))],
        ..PLAIN
    },
    Crop {
        key: "tea_oil_camellia",
        window: [(1, 5), (10, 25)],
        form: Form::Tree,
        kg_mu: 560.0,
        wet_loss: 3.0,
        dry_loss: 0.6,
        ph: [4.2, 6.3],
        best_c: 19.5,
        cadmium_ratio: 0.05,
        markets: &[market(SoldAs::Fresh, 2.3, 800.0, "模拟油坊", None)],
        ..PLAIN
    },
    Crop {
        key: "mandarin",
        window: [(3, 1), (11, 10)],
        form: Form::Tree,
        kg_mu: 1850.0,
        wet_loss: 3.0,
        dry_loss: 0.8,
        ph: [4.8, 7.2],
        best_c: 22.5,
        cadmium_ratio: 0.02,
        cadmium_limit: Some(0.05),
        markets: &[market(SoldAs::Fresh, 2.1, 2500.0, "模拟生鲜市场", None)],
        ..PLAIN
    },
];

/// The crop with this key; `None` for one that the world knows nothing about.
pub(super) fn crop(key: &str) -> Option<&'static Crop> {
    CROPS.iter().find(|crop| crop.key == key)
}

/// A variety's name, what it is grown for and its starch: all that the world takes from the
/// catalogue.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cultivar {
    pub(super) key: VarietyKey,
    pub(super) uses: Vec<SoldAs>,
    /// Percent of fresh weight; what a starch factory pays by.
    pub(super) starch_percent: Option<f64>,
}

/// Crop key to its varieties.
pub(super) type Roster = BTreeMap<&'static str, Vec<Cultivar>>;

/// At most so many varieties of a crop are grown in these villages.
pub(super) const VARIETIES_GROWN: usize = 7;

/// Names of the catalogue's varieties for the crops of the world. A crop that the catalogue does
/// not have is left out of the world.
pub(super) fn roster(catalogue: &Catalogue) -> Roster {
    CROPS
        .iter()
        .filter(|crop| catalogue.crop(crop.key).is_some())
        .map(|crop| {
            let known = catalogue
                .varieties_of(crop.key)
                .map(|variety| Cultivar {
                    key: variety.key.clone(),
                    uses: variety.uses.clone(),
                    starch_percent: variety.starch_percent_fresh,
                })
                .collect();
            (crop.key, known)
        })
        .collect()
}

/// The markets that a variety can go to; those of its crop where its uses name none of them.
pub(super) fn markets_of(crop: &'static Crop, uses: &[SoldAs]) -> Vec<&'static Market> {
    let fitting: Vec<_> =
        crop.markets.iter().filter(|market| uses.contains(&market.sold_as)).collect();
    if fitting.is_empty() { crop.markets.iter().take(1).collect() } else { fitting }
}
