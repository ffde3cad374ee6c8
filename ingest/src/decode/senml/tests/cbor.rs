//! What only CBOR has: widths, lengths, tags, and bytes that break off.

use super::{Decoded, MULTIPLE_CBOR, bytes_of, decode_bytes, encoded, reasons};
use crate::intake::DeadLetterReason;
use cbor4ii::core::Value as Cbor;

/// The values of a pack of one record, `v` being these bytes.
fn value(hexadecimal: &str) -> Decoded {
    // {0: "soil_ec", 2: ...}
    decode_bytes(&bytes_of(&format!("81 a2 00 67 736f696c5f6563 02 {hexadecimal}")))
}

fn read(hexadecimal: &str) -> f64 {
    let decoded = value(hexadecimal);
    assert_eq!(decoded.problems, [], "{hexadecimal}");
    decoded.observations[0].readings[0].value
}

#[test]
#[expect(clippy::float_cmp, reason = "each is exactly one double")]
fn numbers_come_in_every_width() {
    for (written, wanted) in [
        ("00", 0.0),
        ("18 64", 100.0),
        ("19 03e8", 1000.0),
        ("1b ffffffffffffffff", 18_446_744_073_709_551_615.0),
        ("20", -1.0),
        ("3b ffffffffffffffff", -18_446_744_073_709_551_616.0),
        ("f9 3c00", 1.0),
        ("f9 c400", -4.0),
        ("f9 0001", 5.960_464_477_539_063e-8),
        ("f9 7bff", 65_504.0),
        ("fa 47c35000", 100_000.0),
        ("fb 3ff199999999999a", 1.1),
        ("c4 82 21 19 6ab3", 273.15),
        ("c4 82 02 18 1b", 2700.0),
        ("c4 9f 21 19 6ab3 ff", 273.15),
    ] {
        assert_eq!(read(written), wanted, "{written}");
    }
}

#[test]
fn what_is_no_finite_number_costs_its_record_alone() {
    for written in ["f9 7c00", "f9 7e00", "fa ff800000", "fb 7ff8000000000000", "f6", "f7"] {
        assert_eq!(reasons(&value(written)), [DeadLetterReason::NotFinite], "{written}");
    }
    // A text, bytes, an array, an object, a bignum, a date, a broken fraction and one out of range.
    for written in ["61 31", "41 31", "81 01", "a1 01 02", "c2 41 01", "c1 01", "c4 81 01", "c4 01"]
    {
        assert_eq!(reasons(&value(written)), [DeadLetterReason::WrongShape], "{written}");
    }
    assert_eq!(reasons(&value("c4 82 1b ffffffffffffffff 01")), [DeadLetterReason::NotFinite]);
}

#[test]
fn lengths_may_be_open_and_labels_texts() {
    let fixed = decode_bytes(&bytes_of("81 a2 00 67 736f696c5f6563 02 f9 3c00"));
    for written in [
        "9f bf 00 7f 64 736f696c 63 5f6563 ff 02 f9 3c00 ff ff",
        "9f bf 61 6e 67 736f696c5f6563 61 76 f9 3c00 ff ff",
        "d9d9f7 81 a2 00 67 736f696c5f6563 02 f9 3c00",
        // Keys that nobody defined: a number, an array.
        "81 a4 00 67 736f696c5f6563 18 63 82 01 02 81 01 61 78 02 f9 3c00",
    ] {
        let decoded = decode_bytes(&bytes_of(written));
        assert_eq!(decoded.problems, [], "{written}");
        assert_eq!(decoded.observations[0].readings, fixed.observations[0].readings, "{written}");
    }
}

#[test]
fn data_may_be_bytes() {
    let decoded = value("f9 3c00 08 41 00");
    assert_eq!(reasons(&decoded), [DeadLetterReason::NotJson], "a byte too many is no CBOR");
    // {0: "soil_ec", 8: h'00'}
    let decoded = decode_bytes(&bytes_of("81 a2 00 67 736f696c5f6563 08 41 00"));
    assert!(decoded.problems[0].detail.contains("vd is no reading"), "{decoded:?}");
}

#[test]
fn a_pack_that_breaks_off_is_read_nowhere() {
    let whole = bytes_of(MULTIPLE_CBOR);
    for end in 1..whole.len() {
        let decoded = decode_bytes(&whole[..end]);
        assert_eq!(reasons(&decoded), [DeadLetterReason::NotJson], "{end} bytes");
        assert_eq!(decoded.observations, []);
        assert!(decoded.problems[0].detail.contains(&format!("at byte {end}")), "{decoded:?}");
    }
}

#[test]
fn claims_of_length_take_no_memory_and_no_time() {
    for written in [
        "9b ffffffffffffffff",
        "81 bb ffffffffffffffff",
        "81 a1 00 7b ffffffffffffffff 61",
        "81 a1 08 5b 7fffffffffffffff 61",
        "9b 00ffffffffffffff a0",
    ] {
        assert_eq!(reasons(&decode_bytes(&bytes_of(written))), [DeadLetterReason::NotJson]);
    }
}

#[test]
fn nesting_has_an_end() {
    for nested in [0x81, 0xc6] {
        let payload = [vec![0x81, 0xa1, 0x18, 0x63], vec![nested; 100_000]].concat();
        assert_eq!(reasons(&decode_bytes(&payload)), [DeadLetterReason::NotJson]);
    }
    // JSON's reader skips without recursing.
    let json = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    assert_eq!(reasons(&decode_bytes(&json)), [DeadLetterReason::WrongShape]);
}

#[test]
fn what_stands_in_the_array_is_a_map() {
    let elements = vec![Cbor::Null, Cbor::Integer(1), Cbor::Text("n".to_owned())];
    let decoded = decode_bytes(&encoded(&Cbor::Array(elements)));
    assert_eq!(reasons(&decoded), [DeadLetterReason::WrongShape]);
    for found in ["found null", "found a number", "found a text"] {
        assert!(decoded.problems[0].detail.contains(found), "{decoded:?}");
    }
    let tagged = decode_bytes(&bytes_of("d9d9f7 a0"));
    assert!(tagged.problems[0].detail.contains("found an object"), "{tagged:?}");
}
