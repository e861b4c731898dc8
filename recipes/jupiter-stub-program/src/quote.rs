//! Quotes at fixed prices, in the form of version 6.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Hundredths of a percent in one.
const BASIS_POINTS: u128 = 10_000;
/// What a quote may slip if it is not asked for: 0.5 %.
const SLIPPAGE: u16 = 50;
/// The program of the one market there is.
pub const AMM: &str = "11111111111111111111111111111111";
/// Its label.
pub const LABEL: &str = "Stub";
/// Its fee: 0.25 %.
const FEE: u128 = 25;

/// Which amount is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SwapMode {
    /// What goes in.
    #[default]
    ExactIn,
    /// What comes out.
    ExactOut,
}

/// What `/quote` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Quote {
    pub input_mint: String,
    pub in_amount: String,
    pub output_mint: String,
    pub out_amount: String,
    pub other_amount_threshold: String,
    pub swap_mode: SwapMode,
    pub slippage_bps: u16,
    pub platform_fee: Option<()>,
    pub price_impact_pct: String,
    pub route_plan: Vec<Hop>,
    pub context_slot: u64,
}

/// A part of a route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hop {
    pub swap_info: SwapInfo,
    pub percent: u8,
}

/// What a market does in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SwapInfo {
    pub amm_key: String,
    pub label: String,
    pub input_mint: String,
    pub output_mint: String,
    pub in_amount: String,
    pub out_amount: String,
    pub fee_amount: String,
    pub fee_mint: String,
}

/// Why there is no quote.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    pub error: String,
    pub error_code: &'static str,
}

impl Quote {
    /// The quote for a query: one for one, less the fee.
    ///
    /// # Errors
    /// For a query without mints or amount, and where there is no route.
    pub fn of(query: &BTreeMap<String, String>) -> Result<Self, Refusal> {
        let mint = |name| query.get(name).filter(|mint| is_mint(mint)).cloned().ok_or_else(|| invalid(name));
        let (input_mint, output_mint) = (mint("inputMint")?, mint("outputMint")?);
        let amount =
            query.get("amount").and_then(|amount| amount.parse::<u64>().ok()).ok_or_else(|| invalid("amount"))?;
        let slippage_bps = match query.get("slippageBps") {
            Some(text) => text.parse().map_err(|_| invalid("slippageBps"))?,
            None => SLIPPAGE,
        };
        let swap_mode = match query.get("swapMode").map(String::as_str) {
            None | Some("ExactIn") => SwapMode::ExactIn,
            Some("ExactOut") => SwapMode::ExactOut,
            Some(_) => return Err(invalid("swapMode")),
        };
        if input_mint == output_mint || amount == 0 {
            return Err(Refusal {
                error: "Could not find any route".to_owned(),
                error_code: "COULD_NOT_FIND_ANY_ROUTE",
            });
        }
        Ok(priced(input_mint, output_mint, amount.into(), slippage_bps, swap_mode))
    }
}

fn priced(input_mint: String, output_mint: String, amount: u128, slippage_bps: u16, swap_mode: SwapMode) -> Quote {
    let slip = u128::from(slippage_bps).min(BASIS_POINTS);
    let (input, output, threshold) = match swap_mode {
        SwapMode::ExactIn => {
            let output = amount * (BASIS_POINTS - FEE) / BASIS_POINTS;
            (amount, output, output * (BASIS_POINTS - slip) / BASIS_POINTS)
        }
        SwapMode::ExactOut => {
            let input = (amount * BASIS_POINTS).div_ceil(BASIS_POINTS - FEE);
            (input, amount, (input * (BASIS_POINTS + slip)).div_ceil(BASIS_POINTS))
        }
    };
    let swap_info = SwapInfo {
        amm_key: AMM.to_owned(),
        label: LABEL.to_owned(),
        input_mint: input_mint.clone(),
        output_mint: output_mint.clone(),
        in_amount: input.to_string(),
        out_amount: output.to_string(),
        fee_amount: (input - output).to_string(),
        fee_mint: input_mint.clone(),
    };
    Quote {
        input_mint,
        in_amount: input.to_string(),
        output_mint,
        out_amount: output.to_string(),
        other_amount_threshold: threshold.to_string(),
        swap_mode,
        slippage_bps,
        platform_fee: None,
        price_impact_pct: "0".to_owned(),
        route_plan: vec![Hop { swap_info, percent: 100 }],
        context_slot: 0,
    }
}

/// The labels of programs, as `/program-id-to-label` answers: what the vendor's own health check asks for.
pub fn labels() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([(AMM, LABEL)])
}

/// 32 bytes in base 58 have 32 to 44 digits.
fn is_mint(text: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_alphanumeric() && !b"0OIl".contains(&byte);
    (32..=44).contains(&text.len()) && text.bytes().all(digit)
}

fn invalid(name: &str) -> Refusal {
    Refusal { error: format!("Query parameter {name} cannot be parsed"), error_code: "INVALID_PARAMETER" }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOL: &str = "So11111111111111111111111111111111111111112";
    const USDC: &str = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v";

    fn query(fields: &[(&str, &str)]) -> BTreeMap<String, String> {
        let base = [("inputMint", SOL), ("outputMint", USDC), ("amount", "1000000")];
        base.iter().chain(fields).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn prices() {
        for (fields, amounts) in [
            (&[][..], ("1000000", "997500", "992512")),
            (&[("slippageBps", "100")], ("1000000", "997500", "987525")),
            (&[("swapMode", "ExactOut")], ("1002507", "1000000", "1007520")),
            (&[("amount", "1")], ("1", "0", "0")),
        ] {
            let quote = Quote::of(&query(fields)).expect("a quote");
            let Quote { in_amount, out_amount, other_amount_threshold, .. } = &quote;
            assert_eq!((in_amount.as_str(), out_amount.as_str(), other_amount_threshold.as_str()), amounts);
        }
    }

    #[test]
    fn what_is_refused() {
        for (field, code) in [
            (("amount", "0"), "COULD_NOT_FIND_ANY_ROUTE"),
            (("outputMint", SOL), "COULD_NOT_FIND_ANY_ROUTE"),
            (("inputMint", "0x00"), "INVALID_PARAMETER"),
            (("amount", "-1"), "INVALID_PARAMETER"),
            (("swapMode", "Both"), "INVALID_PARAMETER"),
            (("slippageBps", "a"), "INVALID_PARAMETER"),
        ] {
            assert_eq!(Quote::of(&query(&[field])).expect_err(code).error_code, code);
        }
    }
}
