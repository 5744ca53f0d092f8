//! Commands: decoding and encoding are inverse, every value has one form, and nothing else is taken.

use schema::wire::DecodeError;
use schema::{
    Command, CommandKind, Key, KeyOrigin, MarketParameters, Operator, ParameterChange, Stamped,
    SymbolRef, decode_command, encode_command, signed_bytes,
};
use units::{Rate, Timestamp};

use crate::random::Random;
use crate::{DAMAGE_COUNT, ROUND_COUNT, cut_everywhere, damage_everywhere, generate};

fn encoded(stamped: &Stamped) -> Vec<u8> {
    let mut out = Vec::new();
    encode_command(&mut out, stamped);
    out
}

/// Every kind of this version, with random values.
/// covers: DET-30
#[test]
fn every_command_comes_back() {
    let mut kinds = 0;
    for (seed, &kind) in (1..).zip(CommandKind::ALL) {
        let mut random = Random::new(seed);
        if generate::stamped(&mut random, kind).is_none() {
            continue;
        }
        kinds += 1;
        for _ in 0..ROUND_COUNT {
            let stamped = generate::stamped(&mut random, kind).expect("this version has it");
            assert_eq!(stamped.command.kind(), kind);
            let bytes = encoded(&stamped);
            let back = decode_command(&bytes, stamped.sequence).expect("its own bytes");
            assert_eq!(back, stamped);
            assert_eq!(encoded(&back), bytes);
        }
    }
    assert_eq!(kinds, 30);
}

/// A command cut short is refused, one with a changed byte is refused or is another command whose
/// only form it is.
/// covers: DET-30
#[test]
fn damaged_commands_have_no_second_form() {
    for (seed, &kind) in (100..).zip(CommandKind::ALL) {
        let mut random = Random::new(seed);
        for _ in 0..DAMAGE_COUNT {
            let Some(stamped) = generate::stamped(&mut random, kind) else { break };
            let bytes = encoded(&stamped);
            cut_everywhere(&bytes, |part| decode_command(part, 1).is_err());
            let again = |damaged: &[u8]| decode_command(damaged, 1).ok().map(|c| encoded(&c));
            damage_everywhere(&bytes, &mut random, again);
            let mut longer = bytes;
            longer.push(0);
            assert_eq!(decode_command(&longer, 1), Err(DecodeError::Trailing));
        }
    }
}

/// Bytes of no meaning are refused, never a panic.
#[test]
fn wild_bytes_are_no_command() {
    let mut random = Random::new(7);
    for _ in 0..100_000 {
        let mut bytes = random.list(80, Random::byte);
        if let [format, flags, ..] = bytes.as_mut_slice() {
            (*format, *flags) = (1, *flags & 0x1f);
        }
        if let Ok(stamped) = decode_command(&bytes, 1) {
            assert_eq!(encoded(&stamped), bytes);
        }
    }
}

/// Another format, an unknown flag, and every kind that this version does not open.
#[test]
fn later_versions_are_not_guessed() {
    let tick = encoded(&generate::stamped(&mut Random::new(1), CommandKind::Tick).expect("a tick"));
    for format in (0..=u8::MAX).filter(|format| *format != schema::COMMAND_FORMAT) {
        let bytes = [&[format], &tick[1..]].concat();
        assert_eq!(decode_command(&bytes, 1), Err(DecodeError::Unknown));
    }
    for flags in 0x40..=u8::MAX {
        let bytes = [&tick[..1], &[flags], &tick[2..]].concat();
        assert_eq!(decode_command(&bytes, 1), Err(DecodeError::Unknown));
    }
    let mut opened = 0;
    for number in 0..=u8::MAX {
        let kind = CommandKind::from_number(number);
        let is_opened = kind.is_some_and(|k| generate::stamped(&mut Random::new(1), k).is_some());
        let mut bytes = vec![schema::COMMAND_FORMAT, 0, number];
        bytes.extend([0; 200]);
        let is_unknown = decode_command(&bytes, 1) == Err(DecodeError::Unknown);
        assert_eq!(is_unknown, !is_opened, "kind {number}");
        opened += u32::from(is_opened);
    }
    assert_eq!(opened, 30);
}

/// Key flags without a key are refused: they would be a second form of no key.
/// covers: DET-30
#[test]
fn flags_of_no_key_are_refused() {
    for flags in [0x04, 0x08, 0x0c] {
        let mut bytes = vec![schema::COMMAND_FORMAT, flags, CommandKind::Tick.number()];
        bytes.extend([0; 8]);
        assert_eq!(decode_command(&bytes, 1), Err(DecodeError::BadTag));
    }
}

/// Bits that announce no parameter are refused, and what changes nothing is a value like others:
/// whether it may be asked is the kernel's to say.
/// covers: DET-30
#[test]
fn parameters_have_seven_bits() {
    let operator = Operator { valid_until: Timestamp(5), signature: [7; 64] };
    let bytes_of = |parameters| {
        let change = ParameterChange { symbol: SymbolRef::Listed(1), parameters };
        encoded(&Stamped {
            sequence: 1,
            stamp: Timestamp(1),
            fallback_clock: false,
            correlation: None,
            key: None,
            command: Command::SetMarketParameters(change, operator),
            account_version: None,
        })
    };
    let none = bytes_of(MarketParameters::default());
    assert_eq!(none[11..14], [0, 1, 0]);
    assert!(decode_command(&none, 1).is_ok());
    for bits in 0x80..=u8::MAX {
        let mut damaged = none.clone();
        damaged[13] = bits;
        assert_eq!(decode_command(&damaged, 1), Err(DecodeError::BadTag));
    }
    // A band that stays, one that is taken away, one of 0: three values, three forms.
    let band = |price_band| MarketParameters { price_band, ..MarketParameters::default() };
    assert_eq!(none[13..14], [0]);
    assert_eq!(bytes_of(band(Some(None)))[13..15], [0x20, 0]);
    assert_eq!(bytes_of(band(Some(Some(Rate(0)))))[13..16], [0x20, 1, 0]);
    let mut third = bytes_of(band(Some(None)));
    third[14] = 2;
    assert_eq!(decode_command(&third, 1), Err(DecodeError::BadTag));
}

/// Metadata is a map: sorted by key, each key once, when written and when read.
/// covers: DET-30
#[test]
fn metadata_out_of_order_is_refused() {
    let mut random = Random::new(3);
    let label = |text: &str| schema::Label::new(text).expect("short");
    let made = generate::stamped(&mut random, CommandKind::CreateAccount).expect("opened");
    let Command::CreateAccount(mut opening) = made.command else { unreachable!() };
    opening.metadata = vec![(label("ka"), label("1")), (label("kb"), label("2"))];
    let stamped = Stamped { command: Command::CreateAccount(opening), key: None, ..made };
    let bytes = encoded(&stamped);
    for (from, to) in [(b"ka", b"kb"), (b"ka", b"kc"), (b"kb", b"ka"), (b"kb", b"k\0")] {
        let at = bytes.windows(2).rposition(|pair| pair == from).expect("the key");
        let mut swapped = bytes.clone();
        swapped[at..at + 2].copy_from_slice(to);
        assert_eq!(decode_command(&swapped, 1), Err(DecodeError::BadOrder));
    }
    let Command::CreateAccount(mut opening) = stamped.command.clone() else { unreachable!() };
    opening.metadata.reverse();
    let reversed = Stamped { command: Command::CreateAccount(opening), ..stamped };
    assert!(std::panic::catch_unwind(|| encoded(&reversed)).is_err());
}

/// Stamp, key and approval are no part of the body, which begins with the type.
#[test]
fn the_body_is_what_is_asked_and_no_more() {
    for (seed, &kind) in (200..).zip(CommandKind::ALL) {
        let mut random = Random::new(seed);
        let Some(made) = generate::stamped(&mut random, kind) else { continue };
        let body = made.command.body();
        let plain = Stamped { key: None, correlation: None, account_version: None, ..made };
        let bytes = encoded(&plain);
        assert_eq!((bytes[2], &bytes[11..10 + body.len()]), (kind.number(), &body[1..]));
        let approval = bytes.len() - (10 + body.len());
        let is_approved = matches!(
            kind,
            CommandKind::Quarantine
                | CommandKind::HaltTrading
                | CommandKind::ResumeTrading
                | CommandKind::ConfirmClock
                | CommandKind::ListAsset
                | CommandKind::ListMarket
                | CommandKind::SetAccountStatus
                | CommandKind::PauseMarket
                | CommandKind::ResumeMarket
                | CommandKind::SetMarketParameters
                | CommandKind::SetFeeSchedule
                | CommandKind::SetAccountRates
                | CommandKind::RefundFee
                | CommandKind::SetAccountProfile
        );
        assert_eq!(approval, if is_approved { 72 } else { 0 }, "{kind:?}");
    }
}

/// A signature fits one venue, one key, one end and one body.
#[test]
fn whatever_is_signed_is_in_the_signed_bytes() {
    let mut random = Random::new(8);
    let mut made = || {
        let stamped = generate::stamped(&mut random, CommandKind::ListMarket).expect("opened");
        (random.id(), random.array(), random.time(), stamped.command)
    };
    let ((venue, hash, end, command), other) = (made(), made());
    let key =
        |key_hash| Key { key_hash, body_hash: [0; 16], origin: KeyOrigin::Client, text: None };
    let signed = signed_bytes(venue, &key(hash), end, &command);
    let changed = [
        signed_bytes(other.0, &key(hash), end, &command),
        signed_bytes(venue, &key(other.1), end, &command),
        signed_bytes(venue, &key(hash), other.2, &command),
        signed_bytes(venue, &key(hash), end, &other.3),
    ];
    assert!(changed.iter().all(|bytes| *bytes != signed));
    assert!(signed.ends_with(&command.body()));
}
