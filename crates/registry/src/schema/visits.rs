//! How much work a check can be.
//!
//! Three attacks are paths in the graph of a schema. A ring of edges in place never ends. A long path in place, once
//! for each level of a value, exhausts the stack. And where two edges inward lead from one subschema back to it for
//! the same member, each level of a value doubles the work: with sixty levels a call of a kilobyte stops the gate for
//! ever. So the visits are counted before anyone calls: which subschemas are checked against one value, and how often
//! each, for every path that a value could take into the schema.

use std::collections::{BTreeMap, HashSet};

use model::limits;

use super::SchemaError;
use super::graph::{Graph, Part};
use super::violation::bounded;

/// The subschemas that are checked against one value, and how often each.
type Visits = BTreeMap<usize, u64>;

/// Refuses a schema whose checks do not end, go too deep, or are too many.
pub(super) fn bound(graph: &Graph<'_>) -> Result<(), SchemaError> {
    bound_paths(graph)?;
    bound_visits(graph)
}

/// Refuses rings and long paths of edges in place, by taking away, again and again, the nodes that no edge leads to.
fn bound_paths(graph: &Graph<'_>) -> Result<(), SchemaError> {
    let mut leading = vec![0_usize; graph.nodes.len()];
    for (_, to) in graph.nodes.iter().flat_map(|node| &node.in_place) {
        leading.get_mut(*to).into_iter().for_each(|count| *count += 1);
    }
    let mut length = vec![0_usize; graph.nodes.len()];
    let mut free: Vec<_> = (0..).zip(&leading).filter(|(_, count)| **count == 0).map(|(node, _)| node).collect();
    while let Some(node) = free.pop() {
        let behind = length.get(node).copied().unwrap_or_default();
        for (_, to) in graph.nodes.get(node).into_iter().flat_map(|node| &node.in_place) {
            if let (Some(count), Some(length)) = (leading.get_mut(*to), length.get_mut(*to)) {
                *length = (*length).max(behind + 1);
                *count -= 1;
                if *count == 0 {
                    free.push(*to);
                }
            }
        }
    }
    if let Some(ring) = leading.iter().position(|count| *count > 0) {
        return Err(endless(graph, ring));
    }
    if length.into_iter().any(|length| length > limits::SCHEMA_PATH_MAX) {
        return Err(SchemaError::TooBig { what: "references in a row", max: limits::SCHEMA_PATH_MAX });
    }
    Ok(())
}

/// Refuses a schema that checks some value more than [`limits::SCHEMA_VISITS_MAX`] times against one subschema.
/// INVARIANT: [`bound_paths`] came first, so following edges in place ends.
fn bound_visits(graph: &Graph<'_>) -> Result<(), SchemaError> {
    let mut steps = 0;
    let root = in_place(graph, Visits::from([(0, 1)]), &mut steps)?;
    let mut seen = HashSet::from([root.clone()]);
    let mut waiting = vec![root];
    while let Some(visits) = waiting.pop() {
        for inward in inward(graph, &visits) {
            let next = in_place(graph, inward, &mut steps)?;
            if seen.insert(next.clone()) {
                waiting.push(next);
            }
        }
    }
    Ok(())
}

/// Adds the visits that follow on the same value.
fn in_place(graph: &Graph<'_>, begun: Visits, steps: &mut usize) -> Result<Visits, SchemaError> {
    let mut all = Visits::new();
    let mut waiting: Vec<_> = begun.into_iter().map(|(node, count)| (node, count, 1)).collect();
    while let Some((node, count, factor)) = waiting.pop() {
        *steps += 1;
        if *steps > limits::SCHEMA_STEPS_MAX {
            return Err(SchemaError::TooBig { what: "combinations of subschemas", max: limits::SCHEMA_STEPS_MAX });
        }
        let visits = all.entry(node).or_default();
        *visits += count;
        if *visits > limits::SCHEMA_VISITS_MAX {
            return Err(endless(graph, node));
        }
        let Some(found) = graph.nodes.get(node) else { continue };
        // To know what was left unevaluated, the check visits everything on the same value again, and what lies
        // under that again at every level.
        let again = found.has_any(&["unevaluatedProperties", "unevaluatedItems"]);
        let factor = if again { 2 } else { factor };
        waiting.extend(found.in_place.iter().map(|(_, to)| (*to, count * factor, factor)));
    }
    Ok(all)
}

/// The visits of each part that the schema tells apart, and of a part it does not name.
fn inward(graph: &Graph<'_>, visits: &Visits) -> Vec<Visits> {
    let mut parts: BTreeMap<Part<'_>, Visits> = BTreeMap::new();
    for (from, count) in visits {
        for edge in graph.nodes.get(*from).into_iter().flat_map(|node| &node.inward) {
            *parts.entry(edge.part).or_default().entry(edge.to).or_default() += count;
        }
    }
    let members = parts.remove(&Part::AnyMember).unwrap_or_default();
    let items = parts.remove(&Part::AnyItem).unwrap_or_default();
    let with_any = |(part, mut visits): (Part<'_>, Visits)| {
        let any = match part {
            Part::Member(_) | Part::AnyMember => &members,
            Part::Item(_) | Part::AnyItem => &items,
        };
        for (to, count) in any {
            *visits.entry(*to).or_default() += count;
        }
        visits
    };
    let mut all: Vec<_> = parts.into_iter().map(with_any).collect();
    all.extend([members.clone(), items.clone()].into_iter().filter(|visits| !visits.is_empty()));
    all
}

fn endless(graph: &Graph<'_>, node: usize) -> SchemaError {
    let at = graph.nodes.get(node).map(|node| bounded(&node.pointer)).unwrap_or_default();
    SchemaError::Endless { at, max: limits::SCHEMA_VISITS_MAX }
}
