//! The gates that a process has met: what saves it from naming them each time.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use windlass_core::Gate;

use super::Known;

/// Most gates that are remembered.
const MET_MAX: usize = 20_000;

/// The ids of gates. A hint: one may have been forgotten since, which whoever locks it finds.
#[derive(Debug, Default)]
pub(crate) struct Met(Mutex<HashMap<Gate, i64>>);

impl Met {
    /// The ids of all of these; none if one of them was not met.
    pub(crate) fn ids(&self, gates: &BTreeSet<&Gate>) -> Option<Vec<i64>> {
        let met = self.lock();
        gates.iter().map(|gate| met.get(*gate).copied()).collect()
    }

    /// Learns which of these there are.
    pub(crate) fn learn(&self, gates: &BTreeSet<&Gate>, there: &BTreeMap<Gate, Known>) {
        let mut met = self.lock();
        if met.len() + gates.len() > MET_MAX {
            met.clear();
        }
        for gate in gates {
            match there.get(*gate) {
                Some(known) if met.get(*gate) == Some(&known.id) => {}
                Some(known) => drop(met.insert((*gate).clone(), known.id)),
                None => drop(met.remove(*gate)),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Gate, i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use windlass_core::GateForm;

    use super::*;

    #[test]
    fn what_is_gone_is_not_taken_for_met() {
        let (met, gate) = (Met::default(), Gate::new(GateForm::Lock, "r"));
        let gates = BTreeSet::from([&gate]);
        assert_eq!(met.ids(&gates), None);

        met.learn(&gates, &BTreeMap::from([(gate.clone(), Known { id: 7, ..Known::unknown() })]));
        assert_eq!(met.ids(&gates), Some(vec![7]));

        met.learn(&gates, &BTreeMap::new());
        assert_eq!(met.ids(&gates), None);
    }
}
