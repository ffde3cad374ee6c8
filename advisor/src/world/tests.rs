use std::collections::BTreeSet;

use plotwise_config::id::DeviceId;
use plotwise_config::records::{ClimateMonth, OutcomeStatus, SampleKind};

use super::*;

const FIRST: Date = date(2022, 11, 24);
const LAST: Date = date(2026, 11, 23);

fn world(seed: u64) -> World {
    World::new(seed, &Catalogue::shipped().unwrap(), FIRST, LAST).unwrap()
}

fn place(world: &World, role: Role) -> usize {
    world.land.iter().position(|ground| ground.role == Some(role)).unwrap()
}

fn choice(crop: &str, variety: Option<&str>) -> Choice {
    Choice {
        crop: crop.parse().unwrap(),
        variety: variety.map(|key| key.parse().unwrap()),
        is_called_safe: true,
    }
}

/// Everything of a world that can be seen, as text.
fn seen(world: &World) -> String {
    let catalogue = Catalogue::shipped().unwrap();
    let messages: Vec<_> = world.messages(date(2026, 6, 1), date(2026, 6, 2), 3).collect();
    format!(
        "{:?}{:?}{:?}{:?}{:?}{:?}{:?}{messages:?}",
        world.plots(),
        world.devices(),
        world.seasons(),
        world.outcomes(),
        world.samples(&catalogue),
        world.prices(),
        world.climate().months,
    )
}

#[test]
fn the_same_seed_makes_the_same_world_and_another_seed_another() {
    assert_eq!(seen(&world(1)), seen(&world(1)));
    assert_ne!(seen(&world(1)), seen(&world(2)));
}

#[test]
fn every_key_of_the_world_stands_in_the_shipped_catalogue() {
    let catalogue = Catalogue::shipped().unwrap();
    for crop in CROPS {
        let known = catalogue.crop(crop.key).unwrap_or_else(|| panic!("crop {}", crop.key));
        let uses: Vec<_> = known.uses.iter().flat_map(|part| part.sold_as.clone()).collect();
        for market in crop.markets {
            assert!(uses.contains(&market.sold_as), "{} as {}", crop.key, market.sold_as);
        }
    }
    let quantities: BTreeSet<String> = world(1)
        .messages(date(2026, 6, 1), date(2026, 6, 1), 3)
        .flat_map(|message| quantity_keys(&message.payload))
        .collect();
    assert!(quantities.len() > 8, "{quantities:?}");
    for key in quantities {
        assert!(catalogue.quantity_no(&key).is_some(), "quantity {key}");
    }
}

fn quantity_keys(payload: &str) -> Vec<String> {
    let value: serde_json::Value = serde_json::from_str(payload).unwrap();
    let objects = value.as_array().cloned().unwrap_or_else(|| vec![value]);
    objects
        .iter()
        .flat_map(|object| object["readings"].as_object().unwrap().keys())
        .map(|key| key.split('@').next().unwrap().to_owned())
        .collect()
}

#[test]
fn every_role_is_cast_and_its_land_is_what_the_role_says() {
    use plotwise_config::land::{Drainage, LandType, Measure, Protection, Water};

    let world = world(3);
    assert_eq!(world.cast().len(), 15);
    let plots = world.plots();
    assert_eq!(plots.len(), 60);
    let plot = |role: Role| &plots[place(&world, role)];
    let drained = plot(Role::DrainedFormerPaddy);
    let undrained = plot(Role::UndrainedFormerPaddy);
    assert_eq!(drained.id.as_str(), "nx-012");
    for former in [drained, undrained] {
        assert_eq!(former.land_type, LandType::Paddy);
        assert_eq!(former.measure.as_ref().unwrap().measure, Measure::StructureAdjustment);
    }
    assert_eq!((drained.water, drained.drainage), (Some(Water::Drained), Some(Drainage::Good)));
    assert_eq!(undrained.drainage, Some(Drainage::Poor));
    assert_eq!(drained.village, undrained.village);
    for role in [Role::BasicFarmlandPaddy, Role::BasicFarmlandDry] {
        assert_eq!(plot(role).protection, [Protection::BasicFarmland]);
    }
    assert_eq!(plot(Role::GrainZonePaddy).protection, [Protection::GrainZone]);
    assert_eq!(plot(Role::FloodedPaddy).water, Some(Water::Flooded));
    assert_eq!(plot(Role::Orchard).land_type, LandType::Orchard);
    assert_eq!(plot(Role::IrrigatedLand).land_type, LandType::Irrigated);
    for role in [Role::BlackSpot, Role::StemNematode] {
        let id = &plot(role).id;
        assert!(
            world.seasons().iter().any(|season| season.plot == *id && season.disease.is_some())
        );
    }
}

#[test]
fn fields_are_simple_polygons_of_a_field_s_size_and_none_touches_another() {
    let world = world(4);
    let rings: Vec<Vec<[f64; 2]>> =
        world.plots().iter().map(|plot| plot.polygons[0][0].clone()).collect();
    for (plot, ring) in world.plots().iter().zip(&rings) {
        assert_eq!(ring.first(), ring.last());
        assert!((1.0..=15.0).contains(&(plot.area_m2 / land::M2_PER_MU)), "{}", plot.area_m2);
        let edges: Vec<_> = ring.windows(2).collect();
        for (i, a) in edges.iter().enumerate() {
            for b in edges.iter().skip(i + 2) {
                assert!(!cross(a, b), "{} crosses itself", plot.id);
            }
        }
    }
    for (i, one) in rings.iter().enumerate() {
        for (j, other) in rings.iter().enumerate().skip(i + 1) {
            assert!(!is_inside(one[0], other) && !is_inside(other[0], one), "{i} holds {j}");
            let crossing = one.windows(2).any(|a| other.windows(2).any(|b| cross(a, b)));
            assert!(!crossing, "{i} crosses {j}");
        }
    }
}

fn cross(a: &[[f64; 2]], b: &[[f64; 2]]) -> bool {
    let side = |p: [f64; 2], q: [f64; 2], r: [f64; 2]| {
        (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])
    };
    side(a[0], a[1], b[0]) * side(a[0], a[1], b[1]) < 0.0
        && side(b[0], b[1], a[0]) * side(b[0], b[1], a[1]) < 0.0
}

fn is_inside(point: [f64; 2], ring: &[[f64; 2]]) -> bool {
    let crossings = ring.windows(2).filter(|edge| {
        let ([x0, y0], [x1, y1]) = (edge[0], edge[1]);
        (y0 > point[1]) != (y1 > point[1])
            && point[0] < (x1 - x0) * (point[1] - y0) / (y1 - y0) + x0
    });
    crossings.count() % 2 == 1
}

#[test]
fn weather_is_near_the_region_s_figures() {
    let weather = Weather::draw(5, date(1900, 1, 1), date(2099, 12, 31));
    let climate = weather.climate(date(1900, 1, 1), date(2099, 12, 31));
    let rain: f64 = climate.months.iter().map(|month| month.rain).sum();
    assert!((1430.0..1540.0).contains(&rain), "{rain} mm a year");
    let mean =
        |month: &ClimateMonth| f64::midpoint(month.air_temperature_max, month.air_temperature_min);
    for (month, wanted) in climate
        .months
        .iter()
        .zip([5.7, 8.1, 13.0, 18.5, 22.8, 26.5, 29.8, 28.9, 25.0, 19.4, 13.8, 7.7])
    {
        assert!((mean(month) - wanted).abs() < 1.0, "month {}: {}", month.month, mean(month));
    }
    let radiation: f64 =
        climate.months.iter().filter_map(|month| month.daily_radiation).sum::<f64>() / 12.0;
    assert!((11.0..12.6).contains(&radiation), "{radiation} MJ a day");
    let summers: Vec<f64> = (1900..2100)
        .map(|year| {
            let days = weather.index(date(year, 7, 1))..=weather.index(date(year, 9, 30));
            days.map(|index| weather.days[index].rain_mm).sum()
        })
        .collect();
    assert!(summers.iter().any(|mm| *mm < 160.0), "a drought like 2022 in 200 years");
    assert!(summers.iter().any(|mm| *mm > 600.0), "a flood year in 200 years");
}

#[test]
fn wet_land_is_wetter_than_drained_land_beside_it() {
    let world = world(6);
    let days_wet = |role: Role| {
        let place = place(&world, role);
        let soil = world.land[place].soil;
        let top = &world.water(place, false).top;
        let summer = world.weather.index(date(2026, 4, 1))..world.weather.index(date(2026, 11, 1));
        summer.filter(|index| soil.saturation - f64::from(top[*index]) < 0.06).count()
    };
    let (drained, undrained) =
        (days_wet(Role::DrainedFormerPaddy), days_wet(Role::UndrainedFormerPaddy));
    assert!(undrained > 40 && undrained > 4 * drained, "{undrained} and {drained} days");
    let sweet_potato = crops::crop("sweet_potato").unwrap();
    let yielded = |role: Role| -> f64 {
        let years = world.unseen_years();
        world.true_yields_kg_ha(place(&world, role), sweet_potato, None, years).iter().sum()
    };
    assert!(yielded(Role::DrainedFormerPaddy) > 2.0 * yielded(Role::UndrainedFormerPaddy));
}

#[test]
fn messages_come_in_order_and_the_year_stays_under_a_quarter_of_a_million() {
    let world = world(7);
    let last_year = world.learned_until();
    let early = world.messages(FIRST, last_year.yesterday().unwrap(), 24);
    let late = world.messages(last_year, LAST, STEP_HOURS);
    let mut count = 0;
    let mut before = jiff::Timestamp::UNIX_EPOCH;
    for message in early.chain(late) {
        assert!(before <= message.time);
        before = message.time;
        count += 1;
    }
    assert!((100_000..250_000).contains(&count), "{count} messages");
}

#[test]
fn broken_sensors_are_broken_in_their_ways() {
    let world = world(8);
    let from = world.learned_until();
    let payloads: Vec<String> =
        world.messages(from, LAST, STEP_HOURS).map(|message| message.payload).collect();
    for sign in ["-999.000", "1.350", "0.312"] {
        assert!(payloads.iter().any(|text| text.contains(sign)), "{sign}");
    }
    assert!(payloads.iter().any(|text| text.starts_with('[')), "late batches");
    assert!(payloads.iter().any(|text| text.starts_with("{\"seq\"")), "no clock");
    assert!(payloads.windows(2).any(|pair| pair[0] == pair[1]), "duplicates");
    let silent = format!("{}-s1", world.cast()[&Role::SilentSensor]);
    let new = format!("{}-s1", world.cast()[&Role::NewSensor]);
    let days = |name: &str| {
        let own = world.messages(from, LAST, 24).filter(|own| own.device.as_str() == name);
        own.count()
    };
    assert_eq!(days(&new), 7);
    assert!(days(&silent) < 40);
}

#[test]
fn every_payload_decodes_without_a_dead_letter() {
    use plotwise_ingest::{
        decode::{Quantities, native::decode_native},
        directory::Entry,
    };

    let world = world(8);
    let quantities = Quantities::new(&Catalogue::shipped().unwrap());
    let entry = |device: &DeviceId| {
        let devices = world.devices();
        let (_, stands) = devices.iter().find(|(own, _)| own.id == *device).unwrap();
        Entry {
            cooperative: world.cooperative().id,
            profile: "native".to_owned(),
            is_gateway: false,
            token_sha256: None,
            own_depths: vec![(stands.from, stands.depth)],
        }
    };
    // 65 days before the end some clocks are wrong.
    let day = LAST.saturating_sub(Span::new().days(65));
    let mut too_late = 0;
    for message in world.messages(day, day, STEP_HOURS) {
        let payload = message.payload.as_bytes();
        let entry = entry(&message.device);
        let decoded = decode_native(payload, &message.device, &entry, message.time, &quantities);
        assert!(decoded.problems.is_empty(), "{}: {:?}", message.payload, decoded.problems);
        too_late += decoded
            .observations
            .iter()
            .filter(|own| own.identity == plotwise_config::reading::Identity::MeasuredTime)
            .filter(|own| own.measured > message.time)
            .count();
    }
    assert_eq!(too_late, 0, "nothing is measured after it was sent");
}

#[test]
fn people_tell_of_harvests_before_the_last_year_alone() {
    let world = world(9);
    let outcomes = world.outcomes();
    assert!(outcomes.len() > 150, "{}", outcomes.len());
    assert!(outcomes.iter().all(|told| told.season_end < world.learned_until()));
    assert!(
        outcomes
            .iter()
            .all(|told| { (told.status == OutcomeStatus::Failed) == (told.yield_kg_ha == 0.0) })
    );
    let strips: BTreeSet<_> = outcomes.iter().filter_map(|told| told.strip.clone()).collect();
    assert!(strips.len() >= 24, "{} strips", strips.len());
    let seasons = world.seasons();
    for told in &outcomes {
        assert!(seasons.iter().any(|own| own.plot == told.plot && own.start == told.season_start));
    }
    for pair in seasons.windows(2).filter(|pair| pair[0].plot == pair[1].plot) {
        assert!(pair[0].end.is_none_or(|end| end < pair[1].start), "{pair:?}");
    }
}

#[test]
fn soil_samples_class_the_polluted_plots_as_their_roles_say() {
    let catalogue = Catalogue::shipped().unwrap();
    let cadmium = catalogue.quantity_no("cadmium").unwrap();
    for seed in 0..5 {
        let world = world(seed);
        let found = |role: Role| {
            let plot = &world.cast()[&role];
            let samples = world.samples(&catalogue);
            let own = samples.iter().find(|own| {
                own.plot == *plot
                    && own.quantity == cadmium
                    && matches!(own.kind, SampleKind::Soil { .. })
            });
            match own.unwrap().measured {
                plotwise_config::records::Measured::Value(value) => value,
                plotwise_config::records::Measured::Below(_) => 0.0,
            }
        };
        assert!((0.3..1.5).contains(&found(Role::AboveScreening)));
        assert!(found(Role::AboveIntervention) > 1.5);
        assert!(found(Role::DryUpland) <= 0.3);
    }
}

#[test]
fn nobody_beats_the_oracle() {
    for (seed, one) in
        [(10, choice("sweet_potato", Some("shangshu_19"))), (11, choice("maize", None))]
    {
        let world = world(seed);
        let choices = world.plots().into_iter().map(|plot| (plot.id, Some(one.clone())));
        let yuan = world.score(&choices.collect()).yuan_per_mu;
        for other in [yuan.advice, yuan.habit, yuan.best_on_average, 0.0] {
            assert!(yuan.oracle >= other - 1e-9, "{yuan:?}");
        }
        assert!(yuan.habit > 0.0 && yuan.oracle > yuan.habit + 50.0, "room to learn: {yuan:?}");
    }
}

#[test]
fn produce_that_holds_too_much_cadmium_and_is_called_safe_is_counted() {
    let world = world(12);
    let plot = world.cast()[&Role::AboveIntervention].clone();
    let rice = choice("rice_single", None);
    let tested = Choice { is_called_safe: false, ..rice.clone() };
    assert_eq!(world.falsely_safe(&BTreeMap::from([(plot.clone(), Some(rice))])), 1);
    assert_eq!(world.falsely_safe(&BTreeMap::from([(plot, Some(tested))])), 0);
}

#[test]
fn no_variety_is_favoured_and_in_some_worlds_there_is_no_difference() {
    let catalogue = Catalogue::shipped().unwrap();
    let sweet_potato = crops::crop("sweet_potato").unwrap();
    let (mut best, mut alike) = (0, 0);
    for seed in 0..50 {
        let world = World::new(seed, &catalogue, FIRST, LAST).unwrap();
        let place = place(&world, Role::DrainedFormerPaddy);
        let yielded = |variety: &str| -> f64 {
            world
                .true_yields_kg_ha(place, sweet_potato, Some(variety), world.unseen_years())
                .iter()
                .sum()
        };
        if world.varieties_are_alike(&"sweet_potato".parse().unwrap()) {
            assert!((yielded("shangshu_19") - yielded("xushu_22")).abs() < 1e-6);
            alike += 1;
        } else {
            let all = &world.roster["sweet_potato"];
            let top = all.iter().map(|own| yielded(own.key.as_str())).fold(0.0, f64::max);
            best += usize::from(yielded("shangshu_19") >= top);
        }
    }
    assert!((3..25).contains(&alike), "{alike} of 50 worlds without a difference");
    assert!(best < 25, "Shangshu 19 best in {best} of 50 worlds");
}

#[test]
fn days_that_are_too_few_are_refused() {
    let error = World::new(1, &Catalogue::shipped().unwrap(), date(2026, 1, 1), LAST).unwrap_err();
    assert!(error.to_string().contains("two years"), "{error}");
}
