use plotwise_config::reading::DepthMm;
use proptest::prelude::*;

use super::*;

fn reading(code: u32, depth: Option<u16>, flags: u32, value: f64) -> Packed {
    Packed { code, depth: depth.map(DepthMm), flags: Flags(flags), value }
}

/// In ascending order of their keys, each once.
fn readings(max: usize) -> impl Strategy<Value = Vec<Packed>> {
    let key = (prop_oneof![9 => 0..4_u32, 1 => any::<u32>()], proptest::option::of(any::<u16>()));
    let decimal = (-9_999..9_999_i32).prop_map(|whole| f64::from(whole) / 1000.0);
    let odd = any::<f64>().prop_filter("finite", |value| value.is_finite());
    let flags = prop_oneof![9 => Just(0_u32), 1 => any::<u32>()];
    let rest = (flags, prop_oneof![9 => decimal, 1 => odd]);
    proptest::collection::btree_map(key, rest, 0..max).prop_map(|map| {
        let one = |((code, depth), (flags, value))| reading(code, depth, flags, value);
        let mut readings: Vec<_> = map.into_iter().map(one).collect();
        readings.sort_by_key(Packed::key);
        readings
    })
}

fn rows() -> impl Strategy<Value = Rows> {
    let time = prop_oneof![9 => -1000..1000_i64, 1 => any::<i64>()];
    let some = || proptest::option::weighted(0.2, any::<i64>());
    let head = (prop_oneof![9 => 0..5_000_i64, 1 => any::<i64>()], some(), some());
    let one = (head, readings(6), proptest::option::weighted(0.2, readings(3)));
    proptest::collection::btree_map(time, one, 1..60).prop_map(|map| {
        let mut rows = Rows::default();
        for (time_ms, ((delay_ms, claimed_ms, seq), readings, replaced)) in map {
            let is_corrected = replaced.is_some();
            let head = Head { time_ms, delay_ms, claimed_ms, seq, is_corrected };
            rows.push(head, &readings, &replaced.unwrap_or_default());
        }
        rows
    })
}

fn read(block: &Block) -> Result<Rows, BlockDamage> {
    let mut rows = Rows::default();
    BlockReader::new().read(block.key, &block.data, &mut rows).map(|_| rows)
}

/// 400 observations of a probe, every quarter of an hour.
fn a_probe() -> Rows {
    let mut rows = Rows::default();
    for n in 0..400_i32 {
        let time_ms = 1_767_225_600_000 + i64::from(n) * 900_000;
        let head = Head {
            time_ms,
            delay_ms: i64::from(n * n % 700),
            seq: Some(n.into()),
            ..Head::default()
        };
        let wave = f64::from(n % 96) / 1000.0;
        let probe = [
            reading(1, None, 0, 0.2 + wave),
            reading(1, Some(600), 0, 0.3),
            reading(2, None, 0, 5.5),
        ];
        rows.push(head, &probe[..2 + usize::from(n % 3 == 0)], &[]);
    }
    rows
}

proptest! {
    #[test]
    fn any_observations_come_back_bit_for_bit(rows in rows(), device: i64, cut: prop::sample::Index) {
        let cut = cut.index(rows.len());
        let mut writer = BlockWriter::new();
        let mut back = Rows::default();
        for places in [0..cut, cut..rows.len()] {
            if places.is_empty() { continue }
            let mut part = Rows::default();
            part.append(&rows, places.clone());
            let block = writer.write(device, &rows, places);
            prop_assert_eq!((block.observations, block.readings), (part.len(), part.count_readings()));
            let found = read(&block).unwrap();
            prop_assert_eq!(&found, &part);
            back.append(&found, 0..found.len());
        }
        prop_assert_eq!(back, rows);
    }

    #[test]
    fn what_is_not_wanted_is_left_out_and_counted(
        all in proptest::collection::vec(rows(), 1..3), wanted: Vec<bool>,
    ) {
        let codes: Vec<u32> = (0..).zip(wanted).filter_map(|(code, is)| is.then_some(code)).collect();
        let mut reader = BlockReader::new();
        reader.want(Some(codes.clone()));
        let mut found = Rows::default();
        // One reader for all, whose memory serves again.
        for rows in all {
            let block = BlockWriter::new().write(1, &rows, 0..rows.len());
            let count = reader.read(block.key, &block.data, &mut found);
            prop_assert_eq!(count, Ok(rows.count_readings()));
            let mut some = Rows::default();
            for (place, head) in rows.heads().iter().enumerate() {
                let mut readings = rows.readings(place).to_vec();
                readings.retain(|reading| codes.contains(&reading.code));
                some.push(*head, &readings, rows.replaced(place));
            }
            prop_assert_eq!(&found, &some);
        }
    }

    #[test]
    fn any_bytes_are_damage_and_no_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let key = BlockKey { device: 1, first_ms: 0, last_ms: 0 };
        let mut rows = Rows::default();
        prop_assert!(BlockReader::new().read(key, &body, &mut rows).is_err());
        // With a checksum that holds, so that the body is looked at.
        let mut data = vec![VERSION];
        data.extend_from_slice(&checksum(key, &body));
        data.extend_from_slice(&body);
        let _ = BlockReader::new().read(key, &data, &mut rows);
    }

    #[test]
    fn any_change_of_a_body_is_damage_even_under_a_checksum_that_holds_or_reads_as_a_block(
        rows in rows(), place: prop::sample::Index, bits in 1..=255_u8,
    ) {
        let count = rows.len();
        let mut block = BlockWriter::new().write(1, &rows, 0..count);
        let place = 1 + CHECKSUM_LENGTH + place.index(block.data.len() - 1 - CHECKSUM_LENGTH);
        block.data[place] ^= bits;
        let sum = checksum(block.key, &block.data[1 + CHECKSUM_LENGTH..]);
        block.data[1..=CHECKSUM_LENGTH].copy_from_slice(&sum);
        if let Ok(back) = read(&block) {
            let ends = |rows: &Rows| {
                (rows.heads().first().map(|head| head.time_ms), rows.last_ms())
            };
            prop_assert_eq!(ends(&back), ends(&rows));
        }
    }
}

#[test]
fn every_flipped_bit_of_a_block_is_damage() {
    let rows = a_probe();
    let mut block = BlockWriter::new().write(7, &rows, 0..rows.len());
    assert_eq!(read(&block).unwrap(), rows);
    for bit in 0..block.data.len() * 8 {
        block.data[bit / 8] ^= 1 << (bit % 8);
        assert!(read(&block).is_err(), "bit {bit}");
        block.data[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn a_block_cut_short_or_in_anothers_place_is_damage() {
    let rows = a_probe();
    let mut block = BlockWriter::new().write(7, &rows, 0..rows.len());
    for key in [
        BlockKey { device: 8, ..block.key },
        BlockKey { first_ms: block.key.first_ms + 1, ..block.key },
        BlockKey { last_ms: block.key.last_ms + 1, ..block.key },
    ] {
        let read = BlockReader::new().read(key, &block.data, &mut Rows::default());
        assert_eq!(read, Err(BlockDamage::Checksum));
    }
    while block.data.pop().is_some() {
        assert!(read(&block).is_err(), "{} bytes", block.data.len());
    }
}

#[test]
fn a_later_version_is_named() {
    let rows = a_probe();
    let mut block = BlockWriter::new().write(7, &rows, 0..rows.len());
    block.data[0] = 9;
    assert_eq!(read(&block), Err(BlockDamage::Version(Some(9))));
}

/// What `fixtures/sealed-v1.bin` holds under [`FIXTURE_KEY`]: something of everything that a block can.
fn kept() -> Rows {
    let mut rows = a_probe();
    let from = 1_767_225_600_000 + 400 * 900_000;
    let probe = |n: i32| {
        let odd = if n == 20 { 0.1 + 0.2 } else { f64::from(n) / 10.0 };
        let single = f64::from(f32::from_bits(0x3e6c_8b44) * f32::from(i16::try_from(n).unwrap()));
        [reading(1, None, 0, odd), reading(3, None, u32::from(n % 7 == 0), single)]
    };
    for n in 0..60 {
        let head = Head {
            time_ms: from + i64::from(n) * 900_000 + i64::from(n % 5),
            delay_ms: -i64::from(n % 3) * 1_000_000_000,
            claimed_ms: (n % 10 == 0).then_some(i64::from(n) - 62_135_596_800_000),
            seq: (n % 4 != 0).then_some(i64::from(n) - 2),
            is_corrected: n % 30 == 1,
        };
        let was = [reading(1, None, 2, -1.5), reading(9, Some(60_000), 0, f64::MIN_POSITIVE)];
        let replaced = if n == 31 { &was[..] } else { &[] };
        rows.push(head, &probe(n), replaced);
    }
    rows
}

const FIXTURE_KEY: BlockKey =
    BlockKey { device: 7, first_ms: 1_767_225_600_000, last_ms: 1_767_638_700_004 };

/// To make a fixture of a later version: write `BlockWriter::new().write(7, &kept(), 0..460).data`.
#[test]
fn a_block_of_version_1_is_read_as_it_was_sealed() {
    let data = include_bytes!("../../../../fixtures/sealed-v1.bin");
    let mut rows = Rows::default();
    BlockReader::new().read(FIXTURE_KEY, data, &mut rows).unwrap();
    assert_eq!(rows, kept());
    assert_eq!(rows.count_readings(), 1054);
}
