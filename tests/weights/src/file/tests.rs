use super::*;
use proptest::prelude::*;

fn promotion() -> WeightFile {
	WeightFile {
		pallet: "pallet_promotion".into(),
		measured: Measured {
			date: "2026-11-30".into(),
			steps: 20,
			repeats: 10,
			machine: "Some(R) CPU @ 2.00GHz".into(),
		},
		weights: vec![
			Measurement {
				name: "bid".into(),
				time: line(50_123_456, &[]),
				reads: line(8, &[]),
				writes: line(5, &[]),
				storage: vec!["`Promotion::Bids` (r:1 w:1)".into()],
				..Default::default()
			},
			Measurement {
				name: "clear".into(),
				components: vec![component("b", 64)],
				time: line(7, &[25_000_000]),
				reads: line(5, &[2]),
				writes: line(0, &[2]),
				..Default::default()
			},
			Measurement {
				name: "settle".into(),
				components: vec![component("p", 4), component("c", 1)],
				time: line(9, &[11, 0]),
				reads: line(3, &[1, 2]),
				writes: line(4, &[0, 2]),
				..Default::default()
			},
		],
	}
}

fn line(base: u64, slopes: &[u64]) -> Line {
	Line {
		base,
		slopes: slopes.to_vec(),
	}
}

fn component(name: &str, high: u32) -> Component {
	Component {
		name: name.into(),
		low: 0,
		high,
	}
}

#[test]
fn a_file_should_have_the_functions_of_the_trait_when_it_is_written() {
	let text = promotion().render();
	let own = "\t/// `b` is from 0 to 64.\n\
		\tfn clear(b: u32) -> Weight {\n\
		\t\tWeight::from_parts(7, 0)\n\
		\t\t\t.saturating_add(Weight::from_parts(25_000_000, 0).saturating_mul(b.into()))\n\
		\t\t\t.saturating_add(T::DbWeight::get().reads(5_u64))\n\
		\t\t\t.saturating_add(T::DbWeight::get().reads(2_u64.saturating_mul(b.into())))\n\
		\t\t\t.saturating_add(T::DbWeight::get().writes(2_u64.saturating_mul(b.into())))\n\
		\t}\n";
	assert!(text.contains(own), "{text}");
	let of_two = "\t/// `p` is from 0 to 4.\n\
		\t/// `c` is from 0 to 1.\n\
		\tfn settle(p: u32, c: u32) -> Weight {\n\
		\t\tWeight::from_parts(9, 0)\n\
		\t\t\t.saturating_add(Weight::from_parts(11, 0).saturating_mul(p.into()))\n\
		\t\t\t.saturating_add(T::DbWeight::get().reads(3_u64))\n\
		\t\t\t.saturating_add(T::DbWeight::get().reads(1_u64.saturating_mul(p.into())))\n\
		\t\t\t.saturating_add(T::DbWeight::get().reads(2_u64.saturating_mul(c.into())))\n\
		\t\t\t.saturating_add(T::DbWeight::get().writes(4_u64))\n\
		\t\t\t.saturating_add(T::DbWeight::get().writes(2_u64.saturating_mul(c.into())))\n\
		\t}\n";
	assert!(text.contains(of_two), "{text}");
	for function in [
		"fn bid() -> Weight",
		"fn clear(b: u32) -> Weight",
		"fn settle(p: u32, c: u32) -> Weight",
	] {
		assert_eq!(text.matches(function).count(), 3, "{text}");
	}
	assert!(text.contains("Weight::from_parts(50_123_456, 0)"), "{text}");
}

#[test]
fn what_is_not_measured_should_be_refused_when_a_file_is_read() {
	let text = promotion().render();
	assert_eq!(WeightFile::read(&text), Ok(promotion()));
	let changed = |from: &str, to: &str| WeightFile::read(&text.replacen(from, to, 1));
	assert_eq!(changed("Measured on", "Estimated on"), Err(ReadError::Head));
	assert_eq!(changed("20 steps", "some steps"), Err(ReadError::Head));
	for (from, to) in [
		("Weight::from_parts(50_123_456, 0)", "Weight::zero()"),
		("T::DbWeight::get().reads(8_u64)", "T::DbWeight::get().reads(few())"),
		("2_u64.saturating_mul(b.into())", "2_u64.saturating_mul(c.into())"),
		(
			"fn bid() -> Weight {\n\t\tWeight",
			"fn bid(n: u32) -> Weight {\n\t\tWeight",
		),
		(
			"fn settle(p: u32, c: u32) -> Weight {",
			"fn settle(c: u32, p: u32) -> Weight {",
		),
	] {
		assert!(matches!(changed(from, to), Err(ReadError::Line { .. })), "{to}");
	}
	let cut = text.split("/// For tests.").next().expect("it has them").trim_end();
	assert_eq!(
		WeightFile::read(cut.strip_suffix('}').expect("the implementation ends")),
		Err(ReadError::End)
	);
}

#[test]
fn a_file_should_be_refused_when_a_letter_of_it_was_changed_by_hand() {
	let text = promotion().render();
	assert_eq!(WeightFile::check_seal(&text), Ok(()));
	let seal = text.lines().last().expect("it has a last line");
	let without = text.replacen(seal, "", 1);
	let appended = format!("{text}// A word.\n");
	let other = text.replacen("50_123_456", "50_123_455", 1);
	let trait_alone = text.replacen("fn bid() -> Weight;", "fn bid(n: u32) -> Weight;", 1);
	let capitals = text.replacen(seal, &seal.to_uppercase(), 1);
	for changed in [without, appended, other, trait_alone, capitals, String::new()] {
		assert_eq!(WeightFile::check_seal(&changed), Err(ReadError::Seal), "{changed}");
	}
}

#[test]
fn an_argument_should_be_unused_when_nothing_grows_with_it() {
	let mut file = promotion();
	assert!(file.weights.iter().all(Measurement::grows));
	for weight in &mut file.weights {
		for line in [&mut weight.time, &mut weight.reads, &mut weight.writes] {
			line.slopes.iter_mut().take(1).for_each(|slope| *slope = 0);
		}
	}
	let text = file.render();
	assert!(text.contains("fn clear(_b: u32) -> Weight"), "{text}");
	assert!(text.contains("fn settle(_p: u32, c: u32) -> Weight"), "{text}");
	let grown: Vec<bool> = file.weights.iter().map(Measurement::grows).collect();
	assert_eq!(
		grown,
		[true, false, false],
		"what has no component has none to grow with"
	);
	assert_eq!(WeightFile::read(&text), Ok(file));
}

/// Components of different names, and lines with a slope for each.
fn measurement() -> impl Strategy<Value = Measurement> {
	let components = prop::collection::btree_map("[a-z]", (any::<u32>(), any::<u32>()), 0..4);
	let line = || (any::<u64>(), any::<[u64; 3]>());
	("[a-z_]{1,30}", components, [line(), line(), line()]).prop_map(|(name, components, lines)| {
		let components: Vec<_> = components
			.into_iter()
			.map(|(name, (low, high))| Component { name, low, high })
			.collect();
		let [time, reads, writes] = lines.map(|(base, slopes)| Line {
			base,
			slopes: slopes.into_iter().take(components.len()).collect(),
		});
		Measurement {
			name,
			components,
			time,
			reads,
			writes,
			storage: vec!["`Pallet::Item` (r:1 w:1)".into()],
		}
	})
}

proptest! {
	#[test]
	fn a_file_should_say_the_same_when_it_is_read_as_when_it_was_written(weights in prop::collection::vec(measurement(), 0..8)) {
		let file = WeightFile { weights, ..promotion() };
		prop_assert_eq!(WeightFile::read(&file.render()), Ok(file));
	}
}
