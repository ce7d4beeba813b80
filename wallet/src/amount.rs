//! Amounts of AIC as people write them: decimals, exact, without floating point.

use highway_primitives::{Balance, AIC};
use sp_runtime::Perbill;

/// Digits after the decimal point: 1 AIC = 10¹² of its smallest unit.
pub const DECIMALS: u32 = 12;

/// Why a text is not a number of the wanted kind.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ParseDecimalError {
	/// There is no digit.
	#[error("a number is missing")]
	Empty,
	/// Something else than digits and one point.
	#[error("'{0}' is not a decimal number: write it like 12 or 0.25")]
	NotANumber(String),
	/// More digits after the point than can be kept.
	#[error("'{text}' has more than {most} digits after the point")]
	TooPrecise {
		/// What was written.
		text: String,
		/// The most digits.
		most: u32,
	},
	/// Above what can be counted.
	#[error("'{0}' is too large")]
	TooLarge(String),
}

/// Reads `text` as a multiple of 10^-`decimals`.
pub fn parse_decimal(text: &str, decimals: u32) -> Result<u128, ParseDecimalError> {
	let text = text.trim();
	let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
	if whole.is_empty() && fraction.is_empty() {
		return Err(ParseDecimalError::Empty);
	}
	let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
	if !digits(whole) || !digits(fraction) || (text.contains('.') && fraction.is_empty()) {
		return Err(ParseDecimalError::NotANumber(text.into()));
	}
	if fraction.len() > decimals as usize {
		return Err(ParseDecimalError::TooPrecise {
			text: text.into(),
			most: decimals,
		});
	}
	let padded = format!("{whole}{fraction:0<width$}", width = decimals as usize);
	padded.parse().map_err(|_| ParseDecimalError::TooLarge(text.into()))
}

/// Reads an amount such as `1`, `0.25` or `3 AIC`.
pub fn parse_amount(text: &str) -> Result<Balance, ParseDecimalError> {
	let text = text.trim();
	parse_decimal(text.strip_suffix("AIC").unwrap_or(text), DECIMALS)
}

/// Writes an amount without the zeros at its end: `0.25`.
pub fn decimal(amount: Balance) -> String {
	let (whole, fraction) = (amount / AIC, amount % AIC);
	if fraction == 0 {
		return whole.to_string();
	}
	let digits = format!("{fraction:0width$}", width = DECIMALS as usize);
	format!("{whole}.{}", digits.trim_end_matches('0'))
}

/// Writes an amount with its unit: `0.25 AIC`.
pub fn with_unit(amount: Balance) -> String {
	format!("{} AIC", decimal(amount))
}

/// Reads a share such as `20%` or `0.5%`.
pub fn parse_percent(text: &str) -> Result<Perbill, ParseDecimalError> {
	let text = text.trim();
	let parts = parse_decimal(text.strip_suffix('%').unwrap_or(text), 7)?;
	u32::try_from(parts)
		.ok()
		.filter(|parts| *parts <= 1_000_000_000)
		.map(Perbill::from_parts)
		.ok_or_else(|| ParseDecimalError::TooLarge(text.into()))
}

/// Writes a share: `20%`.
pub fn percent(share: Perbill) -> String {
	let (whole, fraction) = (share.deconstruct() / 10_000_000, share.deconstruct() % 10_000_000);
	if fraction == 0 {
		return format!("{whole}%");
	}
	format!("{whole}.{}%", format!("{fraction:07}").trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn amounts_should_be_exact_when_read() {
		for (text, amount) in [
			("0", 0),
			("1", AIC),
			("0.25", AIC / 4),
			(".5", AIC / 2),
			("3 AIC", 3 * AIC),
			("0.000000000001", 1),
			("1000000000.1", 1_000_000_000 * AIC + AIC / 10),
		] {
			assert_eq!(parse_amount(text), Ok(amount), "{text}");
		}
	}

	#[test]
	fn amounts_should_be_refused_when_they_are_no_decimals() {
		assert_eq!(parse_amount(""), Err(ParseDecimalError::Empty));
		assert_eq!(parse_amount("."), Err(ParseDecimalError::Empty));
		for text in ["-1", "1e3", "1,5", "0x10", "1.", "1 000", "1.2.3"] {
			assert_eq!(
				parse_amount(text),
				Err(ParseDecimalError::NotANumber(text.into())),
				"{text}"
			);
		}
		assert!(matches!(
			parse_amount("0.0000000000001"),
			Err(ParseDecimalError::TooPrecise { .. })
		));
		assert!(matches!(
			parse_amount(&"9".repeat(40)),
			Err(ParseDecimalError::TooLarge(_))
		));
	}

	#[test]
	fn amounts_should_read_back_when_written() {
		for amount in [0, 1, AIC / 4, AIC, 123_456_789 * AIC + 987, u128::MAX] {
			assert_eq!(parse_amount(&with_unit(amount)), Ok(amount));
		}
		assert_eq!(decimal(AIC / 4), "0.25");
	}

	#[test]
	fn percents_should_be_exact_when_read_and_written() {
		assert_eq!(parse_percent("20%"), Ok(Perbill::from_percent(20)));
		assert_eq!(parse_percent("0.1"), Ok(Perbill::from_parts(1_000_000)));
		assert_eq!(percent(Perbill::from_parts(1_000_000)), "0.1%");
		assert_eq!(percent(Perbill::one()), "100%");
		assert!(parse_percent("100.1%").is_err());
	}
}
