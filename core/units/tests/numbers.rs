//! What the number types promise as a whole: 18 decimals, three roundings, errors instead of wrong results,
//! and texts that no locale changes.

use std::panic::catch_unwind;
use std::process::Command;

use units::{Amount, Id, ParseAmountError, Rate, Rounding, SEQUENCE_MAX, Timestamp, mul_div};

fn amount(text: &str) -> Amount {
    text.parse().expect("a decimal")
}

/// covers: DET-19
#[test]
fn an_amount_has_18_decimals() {
    assert_eq!(Amount::ONE, Amount(10i128.pow(18)));
    assert_eq!(amount("0.000000000000000001"), Amount(1));
    assert_eq!(amount("-1.5"), Amount(-15 * 10i128.pow(17)));
    assert_eq!(amount("0.1") + amount("0.2"), amount("0.3"));
    assert_eq!(amount("0.000000000000000001").to_string(), "0.000000000000000001");
}

/// The list is whole, or this does not compile; none of it sends one half up and the next one down.
/// covers: DET-22
#[test]
fn no_rounding_goes_to_the_even_neighbour() {
    for rounding in [Rounding::Down, Rounding::Up, Rounding::HalfAway] {
        let expected = match rounding {
            Rounding::Down => [0, 1, 2, 3],
            Rounding::Up | Rounding::HalfAway => [1, 2, 3, 4],
        };
        for (halves, whole) in [1, 3, 5, 7].into_iter().zip(expected) {
            assert_eq!(mul_div(halves, 1, 2, rounding), Some(whole));
            let value = Amount(i128::try_from(halves).expect("small") * Amount::ONE.0 / 2);
            let whole = Amount::from_units(i64::try_from(whole).expect("small"));
            assert_eq!(value.round(0, rounding), Some(whole));
            assert_eq!((-value).round(0, rounding), Some(-whole));
        }
    }
}

/// Whatever the build: `overflow-checks` stand in the release profile, and this runs in both.
/// covers: DET-23
#[test]
fn what_does_not_fit_is_an_error() {
    let most = Amount(i128::MAX);
    assert_eq!(most.checked_add(Amount(1)), None);
    assert_eq!(Amount(i128::MIN).checked_sub(Amount(1)), None);
    assert_eq!(most.checked_mul(amount("2"), Rounding::Down), None);
    assert_eq!(Amount::ONE.checked_div(Amount::ZERO, Rounding::Down), None);
    assert_eq!(mul_div(1, 1, 0, Rounding::Down), None);
    assert!(catch_unwind(|| most + Amount(1)).is_err());
    assert!(catch_unwind(|| Amount(i128::MIN) - Amount(1)).is_err());
    assert_eq!("0.0000000000000000001".parse::<Amount>(), Err(ParseAmountError::TooPrecise));
    assert_eq!("1000000000000000000".parse::<Amount>(), Err(ParseAmountError::TooLarge));
}

/// covers: SEQ-4
#[test]
fn an_id_carries_62_bits_of_a_sequence() {
    assert_eq!(SEQUENCE_MAX, (1_u64 << 62) - 1);
    let time = Timestamp(1_700_000_000_000_000_000);
    let last = Id::derive(time, 0, SEQUENCE_MAX).expect("the last that fits");
    assert_eq!(last.sequence(), SEQUENCE_MAX);
    assert!(Id::derive(time, 0, SEQUENCE_MAX + 1).is_err());
    assert!(Id::derive(time, 0, u64::MAX).is_err());
}

fn texts() -> String {
    let time = Timestamp(1_700_000_000_123_456_000);
    format!("{} {} {} {:?}", amount("1234567.891"), amount("-0.5"), time, Rate(100_000))
}

/// Two processes, one where a comma parts the decimals and days come before months.
/// covers: DET-31
#[test]
fn texts_are_the_same_under_two_locales() {
    const CHILD: &str = "TEXTS_FOR_A_LOCALE";
    if std::env::var_os(CHILD).is_some() {
        println!("<{}>", texts());
        return;
    }
    let under = |locale: &str| {
        let mut child = Command::new(std::env::current_exe().expect("this test"));
        child.args(["--exact", "texts_are_the_same_under_two_locales", "--nocapture"]);
        for name in ["LC_ALL", "LC_NUMERIC", "LC_TIME", "LANG"] {
            child.env(name, locale);
        }
        let output = child.env(CHILD, "1").env("TZ", "Asia/Kathmandu").output().expect("it ran");
        String::from_utf8(output.stdout).expect("text")
    };
    let expected = format!("<{}>", texts());
    assert!(expected.starts_with("<1234567.891 -0.5 2023-11-14T22:13:20.123456Z"), "{expected}");
    for locale in ["C", "de_DE.UTF-8"] {
        assert!(under(locale).contains(&expected), "{locale}");
    }
}
