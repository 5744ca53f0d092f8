//! `a × b ÷ c` with a 256-bit product and one rounding (DET-24).
//!
//! Everything that multiplies money passes here, so that a product is never cut before it is
//! divided. The product of two 64-bit factors, which is nearly every trade, takes the short way
//! through one 128-bit division; the long way is a plain shift-and-subtract and is only met by
//! values near the bounds of D-81.

/// Where a result that is not whole goes. There is deliberately no half-to-even (DET-22).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Towards zero.
    Down,
    /// Away from zero.
    Up,
    /// To the nearest, a half away from zero: the default of D-7.
    HalfAway,
}

/// `a × b ÷ c`, rounded once. `None` when `c` is zero or the result does not fit 128 bits.
#[must_use]
#[inline]
pub fn mul_div(a: u128, b: u128, c: u128, rounding: Rounding) -> Option<u128> {
    if c == 0 {
        return None;
    }
    let (quotient, remainder) = match a.checked_mul(b) {
        Some(product) => (product / c, product % c),
        None => divide_wide(multiply_wide(a, b), c)?,
    };
    let up = match rounding {
        Rounding::Down => false,
        Rounding::Up => remainder != 0,
        // remainder ≥ c − remainder, written so that doubling cannot overflow.
        Rounding::HalfAway => remainder != 0 && remainder >= c - remainder,
    };
    quotient.checked_add(u128::from(up))
}

/// The full product as (high, low) halves.
fn multiply_wide(a: u128, b: u128) -> (u128, u128) {
    const MASK: u128 = (1 << 64) - 1;
    let (a_high, a_low) = (a >> 64, a & MASK);
    let (b_high, b_low) = (b >> 64, b & MASK);
    let low = a_low * b_low;
    let middle_a = a_high * b_low + (low >> 64);
    let middle_b = a_low * b_high + (middle_a & MASK);
    let high = a_high * b_high + (middle_a >> 64) + (middle_b >> 64);
    (high, (middle_b << 64) | (low & MASK))
}

/// Quotient and remainder of a 256-bit number by `c`; `None` when the quotient needs over 128 bits.
fn divide_wide((high, low): (u128, u128), c: u128) -> Option<(u128, u128)> {
    if high >= c {
        return None;
    }
    let mut remainder = high;
    let mut quotient = 0u128;
    for bit in (0..128).rev() {
        let carry = remainder >> 127 == 1;
        remainder = (remainder << 1) | ((low >> bit) & 1);
        if carry || remainder >= c {
            remainder = remainder.wrapping_sub(c);
            quotient |= 1 << bit;
        }
    }
    Some((quotient, remainder))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Products over 128 bits are kept whole until the one rounding.
    /// covers: DET-24
    #[test]
    fn wide_products_divide_exactly() {
        let big = 1u128 << 100;
        assert_eq!(mul_div(big, big, big, Rounding::Down), Some(big));
        assert_eq!(mul_div(u128::MAX, u128::MAX, u128::MAX, Rounding::Up), Some(u128::MAX));
        assert_eq!(mul_div(big, big, 1, Rounding::Down), None);
        // (2^100 + 1) × 3·2^27 ÷ 2^127 = 3 + 3 ÷ 2^100
        assert_eq!(mul_div(big + 1, 3 << 27, big << 27, Rounding::Down), Some(3));
        assert_eq!(mul_div(big + 1, 3 << 27, big << 27, Rounding::Up), Some(4));
        assert_eq!(mul_div(big + 1, 3 << 27, big << 27, Rounding::HalfAway), Some(3));
    }

    /// The long way agrees with the short one wherever both can go.
    #[test]
    fn long_and_short_division_agree() {
        let mut seed = 7u128;
        for _ in 0..2_000 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let a = (seed >> 32) & 0xffff_ffff_ffff;
            let b = (seed >> 60) & 0xffff_ffff_ffff;
            let c = ((seed >> 17) & 0xffff_ffff) + 1;
            let wide = divide_wide(multiply_wide(a, b), c);
            assert_eq!(wide, Some((a * b / c, a * b % c)));
        }
    }

    /// Division by zero is an answer, not a panic.
    #[test]
    fn division_by_zero_is_none() {
        assert_eq!(mul_div(1, 1, 0, Rounding::Down), None);
        assert_eq!(mul_div(u128::MAX, 2, 1, Rounding::Down), None);
    }
}
