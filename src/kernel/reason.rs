//! Why a symbol has not the value that was asked for, as far as Kconfig's files tell.

use super::Config;
use super::fragment::{NO, Request};
use super::judge::Layer;
use super::kconfig::{Definition, Expression, Kconfig, Symbol, tristate};

/// Symbols that are named as a reason are at most so many.
const MAX_NAMED: usize = 3;

/// Reasons in words, none where none is found.
pub(super) fn reasons(request: &Request, number: usize, layers: &[Layer], kconfig: &Kconfig) -> Vec<String> {
    let Request { symbol, value, .. } = request;
    let known = &kconfig.symbols[symbol];
    let config = &layers.last().expect("BUG: a line of no layer").config;
    let (wanted, found) = (degree(value), degree(config.value(symbol)));
    let mut reasons = Vec::new();
    if value == "m" && known.definitions.iter().all(|definition| definition.is_bool) {
        reasons.push("it is a bool, never m".to_owned());
    }
    if !known.has_prompt() {
        reasons.push("nobody can choose it: only other symbols set it".to_owned());
    } else {
        reasons.extend(unmet(known, wanted > found, wanted, config));
    }
    if wanted > found {
        reasons.extend(rival(symbol, config, kconfig));
    }
    if wanted < found || (!known.has_prompt() && found == 0) {
        reasons.extend(selectors(known, wanted, config));
    }
    if value.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'x' || byte == b'-') && value != NO {
        let ranges = known.definitions.iter().filter_map(|definition| definition.range.as_ref());
        reasons.extend(ranges.map(|range| format!("its range is {range}")));
    }
    let until =
        layers[number..].windows(2).find(|pair| pair[0].config.is(symbol, value) && !pair[1].config.is(symbol, value));
    reasons.extend(until.map(|pair| format!("it was so until {}", pair[1].name)));
    reasons
}

/// How much of a symbol a value is; a number or a text is all of it.
fn degree(value: &str) -> u8 {
    if ["m", NO].contains(&value) { tristate(value) } else { tristate("y") }
}

/// What keeps a symbol from being chosen as it was wanted, where it is defined with the least of that: dependencies that
/// do not hold, where more was wanted than it has, and conditions of its prompt.
fn unmet(symbol: &Symbol, more: bool, wanted: u8, config: &Config) -> Vec<String> {
    let lacking = |definition: &Definition| {
        let lacks = |part: &&Expression| more && part.value(config).is_some_and(|value| value < wanted);
        let depends = definition.depends.iter().filter(lacks);
        let depends = depends.map(|part| format!("it depends on `{part}`{}", values(part, config)));
        let hides = |part: &&Expression| part.value(config) == Some(0);
        let hidden = definition.prompt.iter().flatten().filter(hides);
        let hidden = hidden.map(|part| format!("it can be chosen only if `{part}`{}", values(part, config)));
        depends.chain(hidden).collect::<Vec<String>>()
    };
    let choosable = symbol.definitions.iter().filter(|definition| definition.prompt.is_some());
    choosable.map(lacking).min_by_key(Vec::len).unwrap_or_default()
}

/// The values of the symbols in an expression.
fn values(part: &Expression, config: &Config) -> String {
    let mut symbols = part.symbols();
    symbols.dedup();
    let named = symbols.iter().take(MAX_NAMED).map(|symbol| format!("{symbol} is {}", config.value(symbol)));
    let named: Vec<String> = named.collect();
    if named.is_empty() { String::new() } else { format!(", and {}", named.join(", ")) }
}

/// The other symbol that its choice took.
fn rival(symbol: &str, config: &Config, kconfig: &Kconfig) -> Option<String> {
    let taken = kconfig.rivals(symbol).find(|rival| config.value(rival) == "y")?;
    Some(format!("it is one of a choice, in which CONFIG_{taken} is set"))
}

/// The symbols that set it to more than was wanted.
fn selectors(symbol: &Symbol, wanted: u8, config: &Config) -> Option<String> {
    let holds = |condition: &Option<Expression>| condition.as_ref().is_none_or(|one| one.value(config) != Some(0));
    let on = symbol.selected.iter().filter(|(by, condition)| degree(config.value(by)) > wanted && holds(condition));
    let mut names: Vec<String> = on.map(|(by, _)| format!("CONFIG_{by}")).collect();
    names.dedup();
    let more = names.len().saturating_sub(MAX_NAMED);
    names.truncate(MAX_NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!names.is_empty()).then(|| format!("it is selected by {}{more}", names.join(", ")))
}
