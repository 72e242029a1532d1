//! Decimal numbers that stay exact: sums of integers are integers, 0.1 + 0.2 is 0.3.

use std::cmp::Ordering;
use std::fmt;

use serde_json::Number;

use crate::expr::Value;

/// More digits behind the point are not kept exactly (a number of 38 digits is the longest).
const MOST_PLACES: u32 = 38;

/// `coefficient / 10^places`, as it was written: `1.10` has two places.
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    coefficient: i128,
    places: u32,
}

impl Decimal {
    /// A whole number.
    #[must_use]
    pub fn whole(number: i128) -> Self {
        Self { coefficient: number, places: 0 }
    }

    /// Reads `-12`, `+1.50` or `1.2e-3`; `None` when it is no decimal number, or one too
    /// long to be kept exactly.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let unsigned = whole.strip_prefix(['-', '+']).unwrap_or(whole);
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if unsigned.is_empty() || !digits(unsigned) || !digits(fraction) {
            return None;
        }
        let coefficient: i128 = format!("{whole}{fraction}").parse().ok()?;
        if coefficient == 0 {
            let places = u32::try_from(fraction.len()).ok()?.min(MOST_PLACES);
            return Some(Self { coefficient, places });
        }
        let places = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        match u32::try_from(places) {
            Ok(places) if places <= MOST_PLACES => Some(Self { coefficient, places }),
            Ok(_) => None,
            Err(_) => {
                let factor = 10_i128.checked_pow(places.unsigned_abs())?;
                Some(Self { coefficient: coefficient.checked_mul(factor)?, places: 0 })
            }
        }
    }

    /// The sum, with the places of the longer one; `None` when it would not be exact.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        let places = self.places.max(other.places);
        let coefficient = self.scaled(places)?.checked_add(other.scaled(places)?)?;
        Some(Self { coefficient, places })
    }

    /// The quotient when it is exact within 38 digits, as short as it can be written:
    /// 6 / 4 is 1.5, 6 / 3 is 2; else `None`.
    #[must_use]
    pub fn divided_by(self, divisor: u64) -> Option<Self> {
        let divisor = i128::from(divisor);
        let mut dividend = self;
        loop {
            if dividend.coefficient.checked_rem(divisor)? == 0 {
                let coefficient = dividend.coefficient / divisor;
                return Some(Self { coefficient, places: dividend.places }.shortest());
            }
            let places = dividend.places + 1;
            if places > MOST_PLACES {
                return None;
            }
            dividend = Self { coefficient: dividend.coefficient.checked_mul(10)?, places };
        }
    }

    /// The same number without zeros at the end of its fraction.
    #[must_use]
    pub fn shortest(mut self) -> Self {
        while self.places > 0 && self.coefficient % 10 == 0 {
            self.coefficient /= 10;
            self.places -= 1;
        }
        self
    }

    /// The nearest floating-point number.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// As a value that prints as this number does.
    #[must_use]
    pub fn to_value(self) -> Value {
        self.to_string().parse::<Number>().map_or(Value::Null, Value::Number)
    }

    fn scaled(self, places: u32) -> Option<i128> {
        self.coefficient.checked_mul(10_i128.checked_pow(places.checked_sub(self.places)?)?)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.places == 0 {
            return write!(formatter, "{}", self.coefficient);
        }
        let sign = if self.coefficient < 0 { "-" } else { "" };
        let width = self.places as usize + 1;
        let digits = format!("{:0width$}", self.coefficient.unsigned_abs());
        let (whole, fraction) = digits.split_at(digits.len() - self.places as usize);
        write!(formatter, "{sign}{whole}.{fraction}")
    }
}

/// A number that is exact as long as it can be, then a floating-point number.
#[derive(Debug, Clone, Copy)]
pub enum Quantity {
    /// Exact.
    Exact(Decimal),
    /// Too long to be exact.
    Float(f64),
}

impl Quantity {
    /// The number that a value is: a JSON number, or text that looks like one (` 12 `,
    /// `1.5`), as in comparisons; `None` for everything else and for what no
    /// floating-point number can hold.
    #[must_use]
    pub fn of(value: &Value) -> Option<Self> {
        let text = match value {
            Value::Number(number) => number.to_string(),
            Value::String(text) if starts_as_number(text.trim()) => text.trim().to_owned(),
            _ => return None,
        };
        match Decimal::parse(&text) {
            Some(exact) => Some(Self::Exact(exact)),
            None => text.parse().ok().filter(|float: &f64| float.is_finite()).map(Self::Float),
        }
    }

    /// The sum.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        if let (Self::Exact(left), Self::Exact(right)) = (self, other)
            && let Some(sum) = left.plus(right)
        {
            return Self::Exact(sum);
        }
        Self::Float(self.to_f64() + other.to_f64())
    }

    /// The quotient; exact where it can be.
    #[must_use]
    pub fn divided_by(self, divisor: u64) -> Self {
        if let Self::Exact(number) = self
            && let Some(quotient) = number.divided_by(divisor)
        {
            return Self::Exact(quotient);
        }
        #[expect(clippy::cast_precision_loss, reason = "the quotient has no exact form anyway")]
        let divisor = divisor as f64;
        Self::Float(self.to_f64() / divisor)
    }

    /// The nearest floating-point number.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        match self {
            Self::Exact(number) => number.to_f64(),
            Self::Float(number) => number,
        }
    }

    /// As a value; null when it is not finite. Floating-point numbers without a fraction
    /// print as integers.
    #[must_use]
    pub fn to_value(self) -> Value {
        match self {
            Self::Exact(number) => number.to_value(),
            Self::Float(number) => match Decimal::parse(&number.to_string()) {
                Some(exact) => exact.shortest().to_value(),
                None => Number::from_f64(number).map_or(Value::Null, Value::Number),
            },
        }
    }

    /// How two numbers compare by value.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        if let (Self::Exact(left), Self::Exact(right)) = (self, other) {
            let places = left.places.max(right.places);
            if let (Some(left), Some(right)) = (left.scaled(places), right.scaled(places)) {
                return left.cmp(&right);
            }
        }
        self.to_f64().total_cmp(&other.to_f64())
    }
}

fn starts_as_number(text: &str) -> bool {
    text.strip_prefix(['-', '+']).unwrap_or(text).starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum(numbers: &[&str]) -> String {
        let zero = Quantity::Exact(Decimal::whole(0));
        let quantity = |text: &&str| Quantity::of(&Value::from(*text)).unwrap();
        let sum = numbers.iter().map(quantity).fold(zero, Quantity::plus);
        sum.to_value().to_text()
    }

    #[test]
    fn sums_are_exact() {
        assert_eq!(sum(&["1", "2", "3"]), "6");
        assert_eq!(sum(&["0.1", "0.2"]), "0.3");
        assert_eq!(sum(&["1.10", "2.2"]), "3.30", "as money is written");
        assert_eq!(sum(&["9007199254740993", "1"]), "9007199254740994");
        assert_eq!(sum(&["1e3", "-0.5", "+2"]), "1001.5");
        assert_eq!(sum(&["-0.01", "0.005"]), "-0.005");
    }

    #[test]
    fn what_is_too_long_becomes_a_float_and_no_panic() {
        assert_eq!(sum(&["1e300", "1"]), "1e+300");
        assert_eq!(sum(&["1e-300", "1"]), "1");
        let most = i128::MAX.to_string();
        assert!(sum(&[&most, &most]).starts_with("3.4028"));
        assert!(Quantity::of(&Value::from("1e999")).is_none());
        assert!(Decimal::parse("0e-2000000000").is_some());
        assert!(Decimal::parse("1e2147483647").is_none());
        assert!(Decimal::parse("1e-2147483648").is_none());
    }

    #[test]
    fn quotients_are_exact_where_they_can_be() {
        let quotient = |text: &str, by| {
            Quantity::of(&Value::from(text)).unwrap().divided_by(by).to_value().to_text()
        };
        assert_eq!(quotient("6", 3), "2");
        assert_eq!(quotient("6", 4), "1.5");
        assert_eq!(quotient("4.0", 2), "2");
        assert_eq!(quotient("-0.3", 2), "-0.15");
        assert_eq!(quotient("1", 3), "0.3333333333333333");
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", "-", ".", "1.2.3", "1e", "0x10", "NaN", "inf", "5s", "1_000", "--1", "+-1"]
        {
            assert!(Quantity::of(&Value::from(text)).is_none(), "{text:?}");
        }
        for value in [Value::Null, Value::Bool(true), Value::Array(Vec::new())] {
            assert!(Quantity::of(&value).is_none());
        }
    }

    proptest! {
        #[test]
        fn integers_add_as_integers(numbers in proptest::collection::vec(any::<i64>(), 1..50)) {
            let texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
            let expected: i128 = numbers.iter().map(|number| i128::from(*number)).sum();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            prop_assert_eq!(sum(&texts), expected.to_string());
        }

        #[test]
        fn decimals_print_as_they_were_written(whole in any::<i32>(), fraction in "[0-9]{1,9}") {
            let text = format!("{whole}.{fraction}");
            prop_assert_eq!(Decimal::parse(&text).unwrap().to_string(), text);
        }

        #[test]
        fn comparing_agrees_with_floats(left in -1e6..1e6_f64, right in -1e6..1e6_f64) {
            let of = |number: f64| Quantity::of(&Value::from(number.to_string())).unwrap();
            prop_assert_eq!(of(left).compare(&of(right)), left.total_cmp(&right));
        }

        #[test]
        fn any_text_is_read_without_panic(text in "[-+0-9.eE]{0,50}") {
            let _ = Quantity::of(&Value::from(text));
        }
    }
}
