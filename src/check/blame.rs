//! Which factors make a difference: a search that asks for as few rebuilds as it can.
//!
//! One question asks for everything changed. Only on a difference more are asked: whether nothing
//! changed makes one too; then, by halves, for the one factor that does. Where it is not one, that
//! comes out, and `QuickXplain` (Junker, AAAI 2004) finds factors that only make a difference
//! together. What is left is asked for once more, as there may be another cause.

use std::collections::BTreeMap;

use super::factor::Factors;

/// What the answers come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blame {
    /// No factor makes a difference.
    Nothing,
    /// There is a difference although nothing was changed.
    Itself,
    /// Sets of factors, each of which makes a difference and none of which can be smaller.
    Causes(Vec<Factors>),
}

/// Blames some of `factors`. `same` is asked whether the result stays the same with these changed,
/// and never twice for the same.
///
/// # Errors
/// The first of `same`.
pub fn blame<E>(factors: &Factors, same: impl FnMut(&Factors) -> Result<bool, E>) -> Result<Blame, E> {
    let mut search = Search { same, known: BTreeMap::new() };
    if search.same(factors)? {
        return Ok(Blame::Nothing);
    }
    if !search.same(&Factors::new())? {
        return Ok(Blame::Itself);
    }
    let (mut rest, mut causes) = (factors.clone(), Vec::new());
    while !rest.is_empty() && (causes.is_empty() || !search.same(&rest)?) {
        let cause = search.cause(&rest)?;
        rest = &rest - &cause;
        causes.push(cause);
    }
    Ok(Blame::Causes(causes))
}

/// The most rebuilds that it takes to find a cause that is one of so many factors, and the only one.
#[must_use]
pub fn most(factors: usize) -> usize {
    const ALL_AND_NOTHING: usize = 2;
    const ALONE_AND_REST: usize = 2;
    match factors {
        0 => 1,
        1 => ALL_AND_NOTHING,
        _ => ALL_AND_NOTHING + factors.next_power_of_two().ilog2() as usize + ALONE_AND_REST,
    }
}

struct Search<F> {
    same: F,
    known: BTreeMap<Factors, bool>,
}

impl<E, F: FnMut(&Factors) -> Result<bool, E>> Search<F> {
    fn same(&mut self, factors: &Factors) -> Result<bool, E> {
        if let Some(known) = self.known.get(factors) {
            return Ok(*known);
        }
        let same = (self.same)(factors)?;
        self.known.insert(factors.clone(), same);
        Ok(same)
    }

    /// A smallest part of `suspects`, which make a difference, that does so.
    fn cause(&mut self, suspects: &Factors) -> Result<Factors, E> {
        let mut one = suspects.clone();
        while one.len() > 1 {
            let (first, second) = halves(&one);
            one = if self.same(&first)? { second } else { first };
        }
        if self.same(&one)? { self.smallest(&Factors::new(), suspects) } else { Ok(one) }
    }

    /// A smallest part of `suspects` that makes a difference together with `background`, which makes
    /// none without them.
    fn smallest(&mut self, background: &Factors, suspects: &Factors) -> Result<Factors, E> {
        if suspects.len() == 1 {
            return Ok(suspects.clone());
        }
        let (first, second) = halves(suspects);
        let of_second = self.needed(&(background | &first), &second)?;
        let of_first = self.needed(&(background | &of_second), &first)?;
        Ok(&of_first | &of_second)
    }

    /// As `smallest`; nothing if `background` makes a difference by itself.
    fn needed(&mut self, background: &Factors, suspects: &Factors) -> Result<Factors, E> {
        if self.same(background)? { self.smallest(background, suspects) } else { Ok(Factors::new()) }
    }
}

fn halves(factors: &Factors) -> (Factors, Factors) {
    let half = factors.len().div_ceil(2);
    (factors.iter().take(half).copied().collect(), factors.iter().skip(half).copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::factor::Factor::{self, Aslr, Cpus, Hostname, Kernel, Locale, Timezone, Uid, Umask};

    /// The factors of the tests; the table may grow.
    const ALL: [Factor; 8] = [Cpus, Kernel, Hostname, Uid, Umask, Aslr, Timezone, Locale];

    fn set(factors: &[Factor]) -> Factors {
        factors.iter().copied().collect()
    }

    /// What is blamed where each of `causes` makes a difference, and how many rebuilds that took.
    fn blamed(factors: &[Factor], causes: &[&[Factor]]) -> (Blame, usize) {
        let causes: Vec<Factors> = causes.iter().map(|cause| set(cause)).collect();
        let mut asked = Vec::new();
        let same = |factors: &Factors| {
            assert!(!asked.contains(factors), "asked twice for {factors:?}");
            asked.push(factors.clone());
            Ok::<_, ()>(!causes.iter().any(|cause| cause.is_subset(factors)))
        };
        (blame(&set(factors), same).expect("no failure"), asked.len())
    }

    #[test]
    fn nothing_costs_one_rebuild() {
        assert_eq!(blamed(&ALL, &[]), (Blame::Nothing, 1));
        assert_eq!(blamed(&[], &[]), (Blame::Nothing, 1));
    }

    #[test]
    fn what_differs_by_itself_costs_two() {
        assert_eq!(blamed(&ALL, &[&[]]), (Blame::Itself, 2));
        assert_eq!(blamed(&[], &[&[]]), (Blame::Itself, 1));
    }

    #[test]
    fn each_factor_alone() {
        for factor in ALL {
            let (blame, asked) = blamed(&ALL, &[&[factor]]);
            assert_eq!(blame, Blame::Causes(vec![set(&[factor])]));
            assert!(asked <= most(ALL.len()), "{asked} rebuilds for {factor:?}");
            assert_eq!(blamed(&[factor], &[&[factor]]), (Blame::Causes(vec![set(&[factor])]), most(1)));
        }
        assert_eq!((most(0), most(8), most(12)), (1, 7, 8));
    }

    #[test]
    fn any_two_that_only_together_make_a_difference() {
        for one in ALL {
            for other in ALL.into_iter().filter(|other| *other != one) {
                let (blame, asked) = blamed(&ALL, &[&[one, other]]);
                assert_eq!(blame, Blame::Causes(vec![set(&[one, other])]));
                assert!(asked <= 15, "{asked} rebuilds for {one:?} and {other:?}");
            }
        }
    }

    #[test]
    fn several_causes() {
        let (blame, asked) = blamed(&ALL, &[&[Uid], &[Kernel], &[Cpus, Locale]]);
        let Blame::Causes(mut causes) = blame else { panic!("{blame:?}") };
        causes.sort();
        assert_eq!(causes, [set(&[Cpus, Locale]), set(&[Kernel]), set(&[Uid])]);
        assert!(asked <= 25, "{asked} rebuilds");
    }

    #[test]
    fn a_failure_ends_it() {
        let mut asked = 0;
        let fail = |_: &Factors| {
            asked += 1;
            if asked < 3 { Ok(asked == 2) } else { Err("cancelled") }
        };
        assert_eq!(blame(&set(&ALL), fail), Err("cancelled"));
    }
}
