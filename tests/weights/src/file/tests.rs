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
				time: Line {
					base: 50_123_456,
					slope: 0,
				},
				reads: Line { base: 8, slope: 0 },
				writes: Line { base: 5, slope: 0 },
				storage: vec!["`Promotion::Bids` (r:1 w:1)".into()],
				..Default::default()
			},
			Measurement {
				name: "clear".into(),
				component: Some(Component {
					name: "b".into(),
					low: 0,
					high: 64,
				}),
				time: Line {
					base: 7,
					slope: 25_000_000,
				},
				reads: Line { base: 5, slope: 2 },
				writes: Line { base: 0, slope: 2 },
				..Default::default()
			},
		],
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
	for function in ["fn bid() -> Weight", "fn clear(b: u32) -> Weight"] {
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
fn an_argument_should_be_unused_when_nothing_grows_with_it() {
	let mut file = promotion();
	for weight in &mut file.weights {
		(weight.time.slope, weight.reads.slope, weight.writes.slope) = (0, 0, 0);
	}
	let text = file.render();
	assert!(text.contains("fn clear(_b: u32) -> Weight"), "{text}");
	assert_eq!(WeightFile::read(&text), Ok(file));
}

fn line() -> impl Strategy<Value = Line> {
	(any::<u64>(), any::<u64>()).prop_map(|(base, slope)| Line { base, slope })
}

fn measurement() -> impl Strategy<Value = Measurement> {
	let component = prop::option::of(("[a-z]", any::<u32>(), any::<u32>()));
	("[a-z_]{1,30}", component, [line(), line(), line()]).prop_map(|(name, component, lines)| {
		let component = component.map(|(name, low, high)| Component { name, low, high });
		let [time, reads, writes] = lines.map(|line| Line {
			slope: if component.is_some() { line.slope } else { 0 },
			..line
		});
		Measurement {
			name,
			component,
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
