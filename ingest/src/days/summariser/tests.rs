//! Whatever is committed, moved and changed, and however far upkeep has got: reading summaries is
//! reading everything.

use std::{cell::RefCell, collections::BTreeMap, path::Path, rc::Rc};

use jiff::{ToSpan, civil::Date, civil::date, tz::TimeZone};
use plotwise_config::{
    day::DaySummary,
    id::{CooperativeId, CropKey},
    land::{LandType, Place, Water},
    reading::{DepthMm, Flags, Identity, Observation, Reading},
    records::{Placement, Plot, Season},
};
use proptest::prelude::*;

use super::{super::ground::Ground, *};
use crate::{
    days::{SeriesQuery, day_summaries, days_of_plot, series},
    flags::Land,
    intake::Intake,
    store::{StoreOptions, Writer},
};

mod rounds;

const DEVICES: [&str; 3] = ["a", "b", "rain"];
const PLOTS: [&str; 2] = ["north", "south"];
/// Hours that readings lie in: some three spans.
const HOURS: i64 = 80 * 24;

fn start() -> Timestamp {
    "2026-02-10T00:00:00Z".parse().unwrap()
}

fn hour(hour: i64) -> Timestamp {
    start() + SignedDuration::from_hours(hour)
}

fn plot_id(plot: usize) -> PlotId {
    PlotId::parse(PLOTS[plot % PLOTS.len()]).unwrap()
}

fn device_id(device: usize) -> DeviceId {
    DeviceId::parse(DEVICES[device % DEVICES.len()]).unwrap()
}

/// Facts that change beside upkeep.
#[derive(Clone)]
struct Told {
    placements: Vec<Placement>,
    zone: TimeZone,
    seasons: Vec<Season>,
    plots: BTreeSet<PlotId>,
    revision: i64,
}

impl Told {
    fn new() -> Self {
        let place = |device, plot, depth: Option<u16>| Placement {
            device: device_id(device),
            plot: Some(plot_id(plot)),
            depth: depth.map(DepthMm),
            from: hour(-1000),
        };
        Self {
            placements: vec![place(0, 0, Some(50)), place(1, 0, Some(50)), place(2, 0, None)],
            zone: TimeZone::get("Asia/Shanghai").unwrap(),
            seasons: Vec::new(),
            plots: [plot_id(0), plot_id(1)].into(),
            revision: 1,
        }
    }

    fn ground(&self, plot: &PlotId, catalogue: &Catalogue) -> Option<Ground> {
        let record = record(plot);
        let seasons: Vec<_> =
            self.seasons.iter().filter(|season| season.plot == *plot).cloned().collect();
        let stood = |one: &&Placement| {
            let mut all = self.placements.iter().filter(|other| other.device == one.device);
            all.any(|other| other.plot.as_ref() == Some(plot))
        };
        self.plots.contains(plot).then(|| Ground {
            plot: plot.clone(),
            placements: self.placements.iter().filter(stood).cloned().collect(),
            land: Land::of(&record, &seasons, &self.zone, catalogue),
            zone: self.zone.clone(),
        })
    }
}

fn record(plot: &PlotId) -> Plot {
    Plot {
        id: plot.clone(),
        cooperative: CooperativeId::parse("c").unwrap(),
        name: String::new(),
        polygons: Vec::new(),
        centre: Place { latitude: 28.0, longitude: 112.0 },
        area_m2: 1.0,
        contract_area_mu: None,
        land_type: LandType::Dry,
        protection: Vec::new(),
        protection_date: None,
        soil_class: None,
        measure: None,
        village: None,
        household: None,
        soil_texture: None,
        drainage: None,
        water: None,
        slope_percent: None,
        soil_depth_cm: None,
        codes: BTreeMap::new(),
    }
}

#[derive(Clone)]
struct Hearsay(Rc<RefCell<Told>>, Arc<Catalogue>);

impl Grounds for Hearsay {
    fn revision(&self) -> Result<i64, FactsError> {
        Ok(self.0.borrow().revision)
    }

    fn ground(&self, plot: &PlotId) -> Result<Option<Ground>, FactsError> {
        Ok(self.0.borrow().ground(plot, &self.1))
    }

    fn plots_of(&self, device: &DeviceId) -> Result<Vec<PlotId>, FactsError> {
        let told = self.0.borrow();
        let own = told.placements.iter().filter(|placement| placement.device == *device);
        Ok(own.filter_map(|placement| placement.plot.clone()).collect())
    }

    fn next_plot(&self, after: Option<&PlotId>) -> Result<Option<PlotId>, FactsError> {
        let told = self.0.borrow();
        Ok(told.plots.iter().find(|plot| after.is_none_or(|after| *plot > after)).cloned())
    }
}

/// A store, its facts, and two processes that keep its summaries.
struct World {
    _directory: tempfile::TempDir,
    store: Store,
    writers: [Writer; 2],
    told: Hearsay,
    works: [Work<Hearsay>; 2],
    catalogue: Arc<Catalogue>,
    now: Timestamp,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let catalogue = Arc::new(Catalogue::shipped().unwrap());
        let store = open(directory.path(), &catalogue);
        let told = Hearsay(Rc::new(RefCell::new(Told::new())), Arc::clone(&catalogue));
        let work = || Work::new(&store, told.clone(), Arc::clone(&catalogue)).unwrap();
        let works = [work(), work()];
        let writers = [store.writer().unwrap(), store.writer().unwrap()];
        let now = start();
        Self { _directory: directory, store, writers, told, works, catalogue, now }
    }

    fn commit(&mut self, writer: usize, observations: Vec<Observation>) {
        let batch: Vec<_> = observations.into_iter().map(Intake::Observation).collect();
        self.writers[writer].commit(&batch).unwrap();
    }

    fn tell(&self, change: impl FnOnce(&mut Told)) {
        let mut told = self.told.0.borrow_mut();
        change(&mut told);
        told.revision += 1;
    }

    /// Steps of one process, at most so many; whether it rests now.
    fn steps(&mut self, process: usize, count: usize) -> bool {
        for _ in 0..count {
            self.now += SignedDuration::from_mins(1);
            if self.works[process].step(self.now).unwrap() == Step::Done {
                // Nobody waits for the pause here.
                self.now += PAUSE_MAX;
                return true;
            }
        }
        false
    }

    /// What both ways of reading say of a window.
    fn read(&self, plot: &PlotId, window: (Date, Date)) -> [Vec<DaySummary>; 2] {
        let Some(ground) = self.told.0.borrow().ground(plot, &self.catalogue) else {
            return [Vec::new(), Vec::new()];
        };
        let (reader, context) = (self.store.reader().unwrap(), ground.context(&self.catalogue));
        [
            day_summaries(&reader, &context, window).unwrap(),
            days_of_plot(&reader, &context, window).unwrap(),
        ]
    }

    /// A chart by the day, and one as fine as it may be, from what is kept and from every reading.
    fn check_series(&self, from: i64, hours: i64, points_max: usize) {
        let reader = self.store.reader().unwrap();
        let quantity = self.catalogue.quantity_no("soil_moisture").unwrap();
        for plot in [plot_id(0), plot_id(1)] {
            let Some(ground) = self.told.0.borrow().ground(&plot, &self.catalogue) else {
                continue;
            };
            // A device that never sends: nothing that is kept is of these facts.
            let mut other = ground.clone();
            let (device, depth) = (DeviceId::parse("silent").unwrap(), None);
            let (plot, from_ever) = (Some(plot), Timestamp::UNIX_EPOCH);
            other.placements.push(Placement { device, plot, depth, from: from_ever });
            for step in [crate::days::Step::Day, crate::days::Step::Auto] {
                let (from, to) = (hour(from), hour(from + hours));
                let query = SeriesQuery { quantity, depth: None, from, to, step, points_max };
                let [found, wanted] = [&ground, &other]
                    .map(|one| series(&reader, &one.context(&self.catalogue), &query).unwrap());
                assert_eq!(found, wanted, "{query:?}");
            }
        }
    }

    fn check(&self, first: i64, count: i64) {
        self.check_series(first * 24 - 7, count * 29, 1_000);
        self.check_series(first * 13, count * 100, 24);
        let first = date(2026, 2, 1) + first.days();
        for window in [(first, first + count.days()), (date(2026, 2, 1), date(2026, 5, 15))] {
            for plot in [plot_id(0), plot_id(1)] {
                let [found, wanted] = self.read(&plot, window);
                assert_eq!(bits(&found), bits(&wanted));
                assert_eq!(found, wanted, "{plot} {window:?}");
            }
        }
    }
}

fn open(directory: &Path, catalogue: &Arc<Catalogue>) -> Store {
    let options = StoreOptions { redelivery_window_s: 600, keeps_raw: true };
    Store::open(directory, Arc::clone(catalogue), options).unwrap()
}

fn bits(days: &[DaySummary]) -> Vec<(u64, Option<u64>)> {
    let of = |day: &DaySummary| (day.integral.to_bits(), day.statistics.map(|s| s.mean.to_bits()));
    days.iter().map(of).collect()
}

/// What happens to a world.
#[derive(Clone, Copy, Debug)]
enum Event {
    Readings { writer: usize, device: usize, from: i64, count: i64, shape: Shape, supersede: bool },
    Move { device: usize, plot: Option<usize>, depth: u16, from: i64 },
    Forget { device: usize },
    Season { plot: usize, from: i64, days: i64, water: Water },
    Zone(&'static str),
    Plot { plot: usize, is_there: bool },
    Steps { process: usize, count: usize },
    Kill { process: usize },
    Seal { from: i64 },
    Check { first: i64, count: i64 },
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    Constant(u8),
    Wave,
    Plateau,
    Spike,
    Cold,
    Rain,
}

/// Mostly within ten days, where one thing meets another; spans meet on the 1016th hour.
fn moment() -> impl Strategy<Value = i64> {
    prop_oneof![4 => 900..1140_i64, 1 => 0..HOURS]
}

fn event() -> impl Strategy<Value = Event> {
    let shape = prop_oneof![
        (0..6_u8).prop_map(Shape::Constant),
        Just(Shape::Wave),
        Just(Shape::Plateau),
        Just(Shape::Spike),
        Just(Shape::Cold),
        Just(Shape::Rain),
    ];
    let readings = (0..2_usize, 0..3_usize, moment(), 1..120_i64, shape, any::<bool>());
    let water = prop_oneof![Just(Water::Flooded), Just(Water::Irrigated), Just(Water::RainFed)];
    let zone = prop_oneof![Just("Asia/Shanghai"), Just("Europe/Berlin"), Just("America/St_Johns")];
    prop_oneof![
        6 => readings.prop_map(|(writer, device, from, count, shape, supersede)| {
            Event::Readings { writer, device, from, count, shape, supersede }
        }),
        2 => (0..3_usize, proptest::option::of(0..2_usize), 1..3_u16, moment())
            .prop_map(|(device, plot, tenth, from)| {
                Event::Move { device, plot, depth: tenth * 50, from }
            }),
        1 => (0..3_usize).prop_map(|device| Event::Forget { device }),
        1 => (0..2_usize, 30..50_i64, 1..20_i64, water)
            .prop_map(|(plot, from, days, water)| Event::Season { plot, from, days, water }),
        1 => zone.prop_map(Event::Zone),
        1 => (0..2_usize, any::<bool>()).prop_map(|(plot, is_there)| Event::Plot { plot, is_there }),
        6 => (0..2_usize, 1..40_usize).prop_map(|(process, count)| Event::Steps { process, count }),
        1 => (0..2_usize).prop_map(|process| Event::Kill { process }),
        2 => moment().prop_map(|from| Event::Seal { from }),
        3 => (35..60_i64, 0..10_i64).prop_map(|(first, count)| Event::Check { first, count }),
    ]
}

impl World {
    fn live(&mut self, event: Event) {
        match event {
            Event::Readings { writer, device, from, count, shape, supersede } => {
                let observations = self.observations(device, from, count, shape, supersede);
                self.commit(writer, observations);
            }
            Event::Move { device, plot, depth, from } => self.tell(|told| {
                told.placements.push(Placement {
                    device: device_id(device),
                    plot: plot.map(plot_id),
                    depth: Some(DepthMm(depth)),
                    from: hour(from),
                });
            }),
            Event::Forget { device } => self.tell(|told| {
                let newest =
                    told.placements.iter().rposition(|one| one.device == device_id(device));
                newest.map(|newest| told.placements.remove(newest));
            }),
            Event::Season { plot, from, days, water } => self.tell(|told| {
                let start = date(2026, 2, 10) + from.days();
                let (plot, end) = (plot_id(plot), Some(start + days.days()));
                let (crop, water) = (CropKey::parse("rice").unwrap(), Some(water));
                let (variety, disease, confirmed_by) = (None, None, None);
                let season =
                    Season { plot, start, end, crop, variety, water, disease, confirmed_by };
                told.seasons.push(season);
            }),
            Event::Zone(name) => self.tell(|told| told.zone = TimeZone::get(name).unwrap()),
            Event::Plot { plot, is_there: true } => {
                self.tell(|told| _ = told.plots.insert(plot_id(plot)));
            }
            Event::Plot { plot, is_there: false } => {
                self.tell(|told| _ = told.plots.remove(&plot_id(plot)));
            }
            Event::Steps { process, count } => _ = self.steps(process, count),
            Event::Kill { process } => {
                let (told, catalogue) = (self.told.clone(), Arc::clone(&self.catalogue));
                self.works[process] = Work::new(&self.store, told, catalogue).unwrap();
            }
            Event::Seal { from } => {
                let mut sealer = self.store.sealer().unwrap();
                while sealer.step(hour(from)).unwrap() == Step::More {}
            }
            Event::Check { first, count } => self.check(first, count),
        }
    }

    fn observations(
        &self,
        device: usize,
        from: i64,
        count: i64,
        shape: Shape,
        supersede: bool,
    ) -> Vec<Observation> {
        let key = match shape {
            Shape::Cold => "soil_temperature",
            Shape::Rain => "rain",
            _ => "soil_moisture",
        };
        let quantity = self.catalogue.quantity_no(key).unwrap();
        // Constant and wavy ones go on where another left off.
        let value = |nth: i64| match shape {
            Shape::Constant(level) => 0.2 + f64::from(level) / 10.0,
            Shape::Wave => (200 + (from + nth) % 24 * 4) as f64 / 1000.0,
            Shape::Plateau if nth < 12 => 0.2,
            Shape::Plateau => 0.4 - (nth / 30) as f64 * 0.01,
            Shape::Spike => {
                if nth % 20 == 13 {
                    0.45
                } else {
                    0.251
                }
            }
            Shape::Cold => 1.0 - (nth % 7) as f64,
            Shape::Rain => {
                if nth % 9 == 0 {
                    2.4
                } else {
                    0.0
                }
            }
        };
        let of = |nth: i64| Observation {
            device: device_id(device),
            measured: hour(from + nth),
            received: hour(HOURS),
            claimed: None,
            identity: Identity::MeasuredTime,
            seq: None,
            supersede,
            readings: vec![Reading {
                quantity,
                depth: None,
                value: value(nth),
                flags: Flags::NONE,
            }],
        };
        (0..count).map(of).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn summaries_are_what_recomputing_all_would_give(
        events in proptest::collection::vec(event(), 4..24)
    ) {
        let mut world = World::new();
        for event in events {
            world.live(event);
        }
        world.check(20, 9);
        // The round that is on may have passed by what came since, or be overtaken.
        for _ in 0..2 {
            while !world.steps(0, 1) {}
        }
        world.check(30, 3);
        // Nothing is left to do, and all that is there is kept.
        let reader = world.store.reader().unwrap();
        prop_assert_eq!(reader.next_changed(i64::MAX, None).unwrap(), None);
    }
}
