//! Marks packages for installation as apt does on a system without any.
//!
//! The set that apt chooses is not the solution of a formula but the trace of an algorithm, so the
//! algorithm is followed step by step (`pkgDepCache::MarkInstall` of apt 2.1 to 3.1, its classic
//! solver). What matters of it:
//! - Roots are *firm*: nothing may displace them. What a firm package needs without a choice
//!   becomes firm too; what it clashes with can't be chosen any more.
//! - A group that is satisfied already stays as it is. Otherwise its alternatives are tried in
//!   order, and for one alternative first the package of that name, then those that provide it:
//!   firm, essential, protected, of better priority, and then *last mentioned first*.
//! - A package whose needs can't be met is taken back and never tried again; what was chosen for
//!   its sake stays marked until the sweep in [`super::resolve`].
//! - A package that is not firm yields to one that clashes with it and comes later.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::rc::Rc;

use super::index::{Index, NameId, PackageId};
use super::need::{Group, Needs, answers, victims};

/// Dependencies are followed at most this deep; Debian 13 stays below 200. Protects the stack.
const MAX_DEPTH: usize = 1000;

/// The state of all names.
pub(super) struct Marks<'i, 't> {
    index: &'i Index<'t>,
    states: Vec<State>,
    needs: HashMap<PackageId, Rc<Needs<'t>>>,
}

/// The state of a name.
#[derive(Clone, Default)]
pub(super) struct State {
    /// The version that could be installed.
    pub(super) candidate: Option<PackageId>,
    /// Whether it is to be.
    pub(super) chosen: bool,
    /// The package for whose sake it was chosen last.
    pub(super) wanted_by: Option<NameId>,
    /// Why it has no candidate any more.
    pub(super) refused: Option<Refusal>,
    firm: bool,
}

/// Why a package was taken back.
#[derive(Clone)]
pub(super) struct Refusal {
    /// The version that was tried.
    pub(super) package: PackageId,
    /// What stood in its way.
    pub(super) obstacle: Obstacle,
}

/// What stands in a package's way.
#[derive(Clone)]
pub(super) enum Obstacle {
    /// The place of the group among its needs.
    Unmet(usize),
    /// The firm package that it or that clashes with it.
    Clash(NameId),
}

/// How much of a package to mark.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Alone,
    WithNeeds,
}

impl<'i, 't> Marks<'i, 't> {
    /// Nothing chosen; the candidate of each name is its highest version.
    pub(super) fn new(index: &'i Index<'t>) -> Self {
        let mut states = vec![State::default(); index.name_count()];
        for (id, _) in index.numbered() {
            let owner = index.owner(id);
            states[owner.at()].candidate = index.name(owner).packages.first().copied();
        }
        Self { index, states, needs: HashMap::new() }
    }

    /// Chooses all roots, each in this version, then what they need.
    pub(super) fn install(&mut self, roots: &[PackageId]) {
        let names: Vec<_> = roots.iter().map(|root| self.index.owner(*root)).collect();
        for (name, root) in names.iter().zip(roots) {
            self.states[name.at()].candidate = Some(*root);
            self.states[name.at()].firm = true;
            self.mark(*name, Extent::Alone, None, 0);
        }
        for name in names {
            self.mark(name, Extent::WithNeeds, None, 0);
        }
    }

    pub(super) fn state(&self, name: NameId) -> &State {
        &self.states[name.at()]
    }

    /// Whether this very version is to be installed.
    pub(super) fn is_chosen(&self, package: PackageId) -> bool {
        let state = self.state(self.index.owner(package));
        state.chosen && state.candidate == Some(package)
    }

    pub(super) fn needs(&mut self, package: PackageId) -> Rc<Needs<'t>> {
        let index = self.index;
        Rc::clone(self.needs.entry(package).or_insert_with(|| Rc::new(Needs::of(index, package))))
    }

    /// Chooses a package for the sake of `by` (`None`: of the user). False if it can't be, or not
    /// without breaking something.
    fn mark(&mut self, name: NameId, extent: Extent, by: Option<NameId>, depth: usize) -> bool {
        let State { candidate, chosen, firm, .. } = self.states[name.at()];
        let Some(package) = candidate else { return false };
        if depth > MAX_DEPTH || (firm && !chosen && by.is_some()) {
            return false;
        }
        let needs = self.needs(package);
        if chosen && !firm && !self.is_broken(package, &needs) {
            return true;
        }
        if extent == Extent::Alone {
            self.choose(name, by);
            return true;
        }
        if let Some(group) = needs.groups.iter().position(|group| !self.has_candidate(group)) {
            self.refuse_unless(firm, name, Obstacle::Unmet(group));
            return false;
        }
        self.mark_with(package, &needs, by, depth)
    }

    /// Chooses a package whose needs all have candidates, and one for each of them.
    fn mark_with(&mut self, package: PackageId, needs: &Needs<'t>, by: Option<NameId>, depth: usize) -> bool {
        let name = self.index.owner(package);
        let firm = self.state(name).firm;
        // What is open is fixed before anything changes.
        let open = |marks: &Self, group: &Group<'t>| firm || !marks.is_met(group);
        let open: Vec<_> = needs.groups.iter().enumerate().filter(|(_, group)| open(self, group)).collect();
        let clear = self.displace(package, needs, firm);
        if !clear && !firm {
            return false;
        }
        self.choose(name, by);
        self.states[name.at()].firm = true;
        let mut unmet = None;
        for (at, group) in open {
            if !self.meet(name, group, firm, depth + 1) {
                unmet = unmet.or(Some(at));
                if !firm {
                    break;
                }
            }
        }
        self.states[name.at()].firm = firm;
        if let Some(at) = unmet {
            self.refuse_unless(firm, name, Obstacle::Unmet(at));
        }
        clear && unmet.is_none()
    }

    fn choose(&mut self, name: NameId, by: Option<NameId>) {
        let state = &mut self.states[name.at()];
        if !state.chosen {
            state.chosen = true;
            state.wanted_by = by;
        }
    }

    /// Takes a package back for good, if it is not firm.
    fn refuse_unless(&mut self, firm: bool, name: NameId, obstacle: Obstacle) {
        let state = &mut self.states[name.at()];
        if firm {
            return;
        }
        state.chosen = false;
        state.refused = state.candidate.take().map(|package| Refusal { package, obstacle });
    }

    /// Takes back what clashes with `package`. False if some of it is firm.
    fn displace(&mut self, package: PackageId, needs: &Needs<'t>, firm: bool) -> bool {
        let index = self.index;
        let name = index.owner(package);
        let mut clear = true;
        for clash in &needs.clashes {
            if !firm && !victims(index, package, clash).any(|victim| self.is_chosen(victim)) {
                continue;
            }
            for victim in victims(index, package, clash) {
                let other = index.owner(victim);
                let state = &mut self.states[other.at()];
                if state.candidate != Some(victim) {
                    continue;
                }
                if state.chosen && state.firm {
                    clear = false;
                    if !firm {
                        self.states[name.at()].refused = Some(Refusal { package, obstacle: Obstacle::Clash(other) });
                        return false;
                    }
                    continue;
                }
                state.chosen = false;
                if firm {
                    state.refused =
                        state.candidate.take().map(|package| Refusal { package, obstacle: Obstacle::Clash(name) });
                    state.firm = true;
                }
            }
        }
        clear
    }

    /// Sees to it that one alternative of a group is chosen.
    fn meet(&mut self, name: NameId, group: &Group<'t>, firm: bool, depth: usize) -> bool {
        if self.is_met(group) {
            return !firm || self.make_only_choice_firm(name, group, depth);
        }
        let choices = self.choices(group);
        for package in &choices {
            let other = self.index.owner(*package);
            if self.state(other).candidate != Some(*package) {
                continue;
            }
            if firm && choices.len() == 1 {
                if !self.mark(other, Extent::Alone, Some(name), depth) {
                    continue;
                }
                self.states[other.at()].firm = true;
            }
            if self.mark(other, Extent::WithNeeds, Some(name), depth) {
                return true;
            }
        }
        false
    }

    /// What a firm package needs without a choice is firm.
    fn make_only_choice_firm(&mut self, name: NameId, group: &Group<'t>, depth: usize) -> bool {
        let mut choices = self.choices(group);
        choices.sort_unstable();
        choices.dedup();
        let [only] = choices[..] else { return true };
        let other = self.index.owner(only);
        if self.state(other).firm {
            return true;
        }
        self.states[other.at()].firm = true;
        self.mark(other, Extent::WithNeeds, Some(name), depth)
    }

    /// The candidates that would meet a group, in the order in which apt tries them.
    fn choices(&self, group: &Group<'t>) -> Vec<PackageId> {
        let mut choices = Vec::new();
        for want in group {
            let mut answers: Vec<_> = answers(self.index, want).filter(|id| self.is_candidate(*id)).collect();
            answers.sort_by_key(|id| self.rank(want.name, *id));
            choices.append(&mut answers);
        }
        choices.dedup();
        choices.retain(|id| {
            let state = self.state(self.index.owner(*id));
            state.chosen || !state.firm
        });
        choices
    }

    /// Where a package stands among those that answer to `asked`; the lowest is tried first.
    fn rank(&self, asked: NameId, id: PackageId) -> impl Ord + use<> {
        let (name, package) = (self.index.owner(id), self.index.package(id));
        let preferred = [self.state(name).firm, name == asked, package.essential, package.protected];
        (Reverse(preferred), package.priority, Reverse(name))
    }

    fn is_candidate(&self, package: PackageId) -> bool {
        self.state(self.index.owner(package)).candidate == Some(package)
    }

    fn is_met(&self, group: &Group<'t>) -> bool {
        group.iter().any(|want| answers(self.index, want).any(|id| self.is_chosen(id)))
    }

    fn has_candidate(&self, group: &Group<'t>) -> bool {
        group.iter().any(|want| answers(self.index, want).any(|id| self.is_candidate(id)))
    }

    fn is_broken(&self, package: PackageId, needs: &Needs<'t>) -> bool {
        let hit = |clash| victims(self.index, package, clash).any(|victim| self.is_chosen(victim));
        needs.groups.iter().any(|group| !self.is_met(group)) || needs.clashes.iter().any(hit)
    }
}
