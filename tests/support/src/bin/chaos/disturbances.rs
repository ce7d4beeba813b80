//! Which nodes faults touched, and when, counted in blocks: then a node may be late, and at no other time.

use highway_primitives::NodeId;
use std::collections::BTreeSet;

/// Blocks after a recovery in which a node still counts as touched: all nodes finalize again, but one that was cut off is called
/// anew by each of the others within twenty seconds, and what it missed meanwhile comes late.
const AFTERMATH: u64 = 15;

/// One fault.
#[derive(Debug)]
struct Span {
	nodes: BTreeSet<NodeId>,
	/// Final before it began.
	from: u64,
	/// The last block that still counts as touched.
	until: u64,
}

/// All faults so far.
#[derive(Debug, Default)]
pub struct Disturbances(Vec<Span>);

impl Disturbances {
	/// Adds a fault of these nodes that began after block `from` was final; all had recovered in block `recovered`.
	pub fn add(&mut self, nodes: BTreeSet<NodeId>, from: u64, recovered: u64) {
		self.0.push(Span {
			nodes,
			from,
			until: recovered + AFTERMATH,
		});
	}

	/// Whether a fault touched the node in any of these blocks, both included.
	pub fn touched(&self, node: NodeId, from: u64, until: u64) -> bool {
		let meets = |span: &Span| span.from <= until && from <= span.until;
		self.0.iter().any(|span| span.nodes.contains(&node) && meets(span))
	}

	/// Whether a node can be excused for a job that it had in these blocks: a fault touched it, or all who had the input. From
	/// one that nothing touched it gets the input, whatever becomes of others.
	pub fn excuse(&self, node: NodeId, holders: &BTreeSet<NodeId>, from: u64, until: u64) -> bool {
		let touched = |node: &NodeId| self.touched(*node, from, until);
		touched(&node) || holders.iter().all(touched)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	/// A fault of node 2 between blocks 100 and 110.
	fn disturbances() -> Disturbances {
		let mut disturbances = Disturbances::default();
		disturbances.add(BTreeSet::from([2]), 100, 110);
		disturbances
	}

	#[test]
	fn node_should_be_touched_from_the_fault_until_its_aftermath_is_over() {
		let disturbances = disturbances();
		let last = 110 + AFTERMATH;
		for (from, until, touched) in [
			(90, 99, false),
			(95, 100, true),
			(104, 105, true),
			(90, 200, true),
			(last, last + 6, true),
			(last + 1, last + 7, false),
		] {
			assert_eq!(disturbances.touched(2, from, until), touched, "{from} to {until}");
			assert!(!disturbances.touched(1, from, until), "another node");
		}
	}

	#[test]
	fn node_should_be_excused_when_it_or_all_who_had_the_input_were_touched() {
		let disturbances = disturbances();
		let excuse = |node, holders: &[NodeId]| {
			let holders = holders.iter().copied().collect();
			disturbances.excuse(node, &holders, 104, 110)
		};
		assert!(excuse(2, &[1]), "it was touched itself");
		assert!(excuse(1, &[2]), "the only one that had the input was");
		assert!(!excuse(1, &[2, 3]), "node 3 had the input, too");
		assert!(!excuse(1, &[1]), "it had the input itself");
		assert!(excuse(1, &[]), "nobody is known to have had it");
	}
}
