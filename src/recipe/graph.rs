//! References between units: each exists, goes the right way and has the output it names; none leads back.

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostic::Fault;
use super::unit::{Unit, Use};
use crate::path::Name;

/// All units, and names that are known but have no unit: why there is none, or nothing if that was reported already.
pub(super) struct Graph {
    pub(super) units: BTreeMap<Name, Unit>,
    pub(super) others: BTreeMap<Name, Option<String>>,
}

impl Graph {
    pub(super) fn check(&self, faults: &mut Vec<Fault>) {
        for unit in self.units.values() {
            let uses = unit.uses.iter().chain(&unit.test_uses);
            faults.extend(uses.filter_map(|using| self.misuse(unit, using)));
        }
        self.cycles(faults);
        faults.extend(self.units.values().filter_map(|unit| self.denied(unit)));
    }

    /// Refuses what is built where no unit is named and is not free to all.
    fn denied(&self, unit: &Unit) -> Option<Fault> {
        let recipe = unit.recipe.as_ref().filter(|recipe| recipe.default)?;
        let unfree = self.unfree(&recipe.name, &mut BTreeSet::new())?;
        let title = if *unfree == recipe.name {
            format!("`{unfree}` is not free, and built where no unit is named")
        } else {
            format!("`{}` is built where no unit is named, and needs `{unfree}`, which is not free", recipe.name)
        };
        let help = "drop `default = true`: who may build it names it, and says so with --allow-unfree";
        Some(Fault::new(unit.at.clone(), title).help(help))
    }

    /// What is not free among a unit and all that it uses.
    fn unfree<'a>(&'a self, name: &Name, seen: &mut BTreeSet<&'a Name>) -> Option<&'a Name> {
        let (name, unit) = self.units.get_key_value(name).filter(|(name, _)| seen.insert(name))?;
        if unit.recipe.as_ref().is_some_and(|recipe| recipe.unfree) {
            return Some(name);
        }
        unit.uses.iter().find_map(|using| self.unfree(&using.reference.unit, seen))
    }

    /// What is wrong with one reference.
    fn misuse(&self, from: &Unit, using: &Use) -> Option<Fault> {
        let name = &using.reference.unit;
        let Some(to) = self.units.get(name) else { return self.dangling(using) };
        if to.root > from.root {
            let title = format!("a unit in {} can't use `{name}`, which stands in {}", from.root, to.root);
            let fault = Fault::new(using.at.clone(), title).also(to.at.clone(), "it stands here");
            return Some(fault.help("references go recipes ← kernel ← bpf ← extensions ← images ← charts"));
        }
        let recipe = to.recipe.as_ref()?;
        if let Some(kind) = using.kind.filter(|kind| *kind != recipe.build.kind()) {
            let title = format!("`{name}` is of kind `{}`, not `{kind}`", recipe.build.kind());
            let known = self.units.iter().filter(|(_, unit)| is_of(unit, kind)).map(|(name, _)| name.as_str());
            let help = format!("name one of: {}", known.collect::<Vec<_>>().join(", "));
            return Some(Fault::new(using.at.clone(), title).help(help));
        }
        let output = using.reference.output.as_ref()?;
        let known = recipe.outputs();
        (!known.contains(output)).then(|| {
            let known: Vec<_> = known.iter().map(Name::as_str).collect();
            let fault = Fault::new(using.at.clone(), format!("`{name}` has no output `{output}`"));
            fault.suggest(output.as_str(), known.iter().copied(), format!("its outputs: {}", known.join(", ")))
        })
    }

    fn dangling(&self, using: &Use) -> Option<Fault> {
        let name = using.reference.unit.as_str();
        let fault = Fault::new(using.at.clone(), format!("there is no unit `{name}`"));
        match self.others.get(name) {
            Some(reason) => reason.as_ref().map(|reason| fault.help(reason)),
            None => Some(fault.suggest(name, self.units.keys().map(Name::as_str), "`forge list` shows the units")),
        }
    }

    /// Reports cycles, one after the other, without those that share a unit with one already reported.
    fn cycles(&self, faults: &mut Vec<Fault>) {
        let mut open = self.knotted(self.units.keys().collect());
        while let Some(start) = open.first() {
            let cycle = self.cycle(start, &open);
            faults.push(endless(&cycle));
            open.retain(|name| !cycle.iter().any(|(member, _)| member == name));
            open = self.knotted(open);
        }
    }

    /// Of `open` those that lie on a cycle, or lead to one.
    fn knotted<'a>(&'a self, mut open: BTreeSet<&'a Name>) -> BTreeSet<&'a Name> {
        let mut waiting = BTreeMap::<&Name, Vec<&Name>>::new();
        let mut count = BTreeMap::new();
        for name in &open {
            let targets: BTreeSet<&Name> = self.edges(name, &open).map(|using| &using.reference.unit).collect();
            count.insert(*name, targets.len());
            targets.into_iter().for_each(|target| waiting.entry(target).or_default().push(name));
        }
        let mut free: Vec<&Name> = count.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
        while let Some(name) = free.pop() {
            open.remove(name);
            for user in waiting.remove(name).unwrap_or_default() {
                let left = count.get_mut(user).expect("BUG: a user without a count");
                *left -= 1;
                free.extend((*left == 0).then_some(user));
            }
        }
        open
    }

    /// The cycle one comes to from `start`: each member with its reference to the next one.
    fn cycle<'a>(&'a self, start: &'a Name, open: &BTreeSet<&'a Name>) -> Vec<(&'a Name, &'a Use)> {
        let mut walk: Vec<(&Name, &Use)> = Vec::new();
        let mut name = start;
        loop {
            if let Some(index) = walk.iter().position(|(seen, _)| *seen == name) {
                return walk.split_off(index);
            }
            let using = self.edges(name, open).next().expect("BUG: a knotted unit that leads nowhere");
            walk.push((name, using));
            name = &using.reference.unit;
        }
    }

    fn edges(&self, name: &Name, open: &BTreeSet<&Name>) -> impl Iterator<Item = &Use> {
        self.units[name].uses.iter().filter(|using| open.contains(&using.reference.unit))
    }
}

fn is_of(unit: &Unit, kind: &str) -> bool {
    unit.recipe.as_ref().is_some_and(|recipe| recipe.build.kind() == kind)
}

fn endless(cycle: &[(&Name, &Use)]) -> Fault {
    let names = cycle.iter().chain(cycle.first()).map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" → ");
    let label = |(name, using): &(&Name, &Use)| format!("`{name}` needs `{}`", using.reference.unit);
    let (first, rest) = cycle.split_first().expect("BUG: a cycle without members");
    let fault = Fault::new(first.1.at.clone(), format!("units need each other: {names}")).label(label(first));
    let fault = rest.iter().fold(fault, |fault, edge| fault.also(edge.1.at.clone(), label(edge)));
    fault.help("drop one of these references, or take what they share into a third unit")
}
