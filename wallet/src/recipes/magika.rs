//! Magika, Google's detector of file types: the pre- and postprocessing of its Python package 1.0.3, in its default
//! mode ("high confidence"). Same bytes in, same label out.

use super::{Answer, Prepared, Recipe, RecipeError};
use highway_offchain_worker::tensors::{self, Tensor};
use highway_primitives::model::{DType, VersionSpec};
use serde::Deserialize;
use std::{
	collections::BTreeMap,
	fs::File,
	io::{self, Read, Seek, SeekFrom},
	path::Path,
};

/// Name of the recipe on chain.
pub const NAME: &str = "magika";

/// How many of the model's choices an answer shows.
const CHOICES: usize = 5;

/// The types of the model that are text: below its threshold such a choice becomes `txt`, another one `unknown`. From
/// the package's `content_types_kb.min.json`; sorted.
const TEXT_TYPES: [&str; 113] = [
	"aidl",
	"appleplist",
	"asm",
	"asp",
	"autohotkey",
	"autoit",
	"awk",
	"batch",
	"bazel",
	"bib",
	"c",
	"clojure",
	"cmake",
	"cobol",
	"coffeescript",
	"cpp",
	"cs",
	"csproj",
	"css",
	"csv",
	"dart",
	"diff",
	"dm",
	"dockerfile",
	"dxf",
	"elixir",
	"eml",
	"erb",
	"erlang",
	"fortran",
	"gemfile",
	"gemspec",
	"gitattributes",
	"gitmodules",
	"go",
	"gradle",
	"groovy",
	"handlebars",
	"haskell",
	"hcl",
	"htaccess",
	"html",
	"ics",
	"ignorefile",
	"ini",
	"internetshortcut",
	"ipynb",
	"java",
	"javascript",
	"jinja",
	"json",
	"jsonl",
	"julia",
	"kotlin",
	"latex",
	"lisp",
	"lua",
	"m3u",
	"m4",
	"makefile",
	"markdown",
	"matlab",
	"mht",
	"mum",
	"objectivec",
	"ocaml",
	"pascal",
	"pem",
	"perl",
	"php",
	"po",
	"powershell",
	"prolog",
	"proteindb",
	"proto",
	"python",
	"r",
	"randomtxt",
	"rdf",
	"rst",
	"rtf",
	"ruby",
	"rust",
	"scala",
	"scss",
	"sgml",
	"shell",
	"smali",
	"solidity",
	"sql",
	"srt",
	"stltext",
	"sum",
	"svg",
	"swift",
	"tcl",
	"textproto",
	"toml",
	"tsv",
	"twig",
	"txt",
	"typescript",
	"vba",
	"vcxproj",
	"verilog",
	"vhdl",
	"vtt",
	"vue",
	"winregistry",
	"xml",
	"yaml",
	"yara",
	"zig",
];

/// The package's `config.min.json`, as far as it is used.
#[derive(Clone, Debug, Deserialize)]
struct Config {
	beg_size: usize,
	mid_size: usize,
	end_size: usize,
	use_inputs_at_offsets: bool,
	medium_confidence_threshold: f64,
	min_file_size_for_dl: usize,
	padding_token: i32,
	block_size: usize,
	target_labels_space: Vec<String>,
	thresholds: BTreeMap<String, f64>,
	overwrite_map: BTreeMap<String, String>,
}

/// The recipe.
pub struct Magika {
	config: Config,
}

impl Magika {
	/// The recipe with the package's configuration file.
	pub fn new(config: &[u8]) -> Result<Self, RecipeError> {
		let config: Config = serde_json::from_slice(config).map_err(|error| RecipeError::Config(error.to_string()))?;
		let Config {
			beg_size,
			mid_size,
			end_size,
			block_size,
			min_file_size_for_dl,
			..
		} = config;
		// The bounds of the package itself, and one on memory.
		if mid_size != 0 || config.use_inputs_at_offsets || beg_size >= block_size || end_size >= block_size {
			return Err(RecipeError::Config(
				"it asks for features that the recipe does not have".into(),
			));
		}
		if min_file_size_for_dl == 0 || min_file_size_for_dl > beg_size || block_size > 1 << 20 {
			return Err(RecipeError::Config("its sizes make no sense".into()));
		}
		if config.target_labels_space.is_empty() {
			return Err(RecipeError::Config("it names no file types".into()));
		}
		Ok(Self { config })
	}

	/// The model's input for a file, or the label of a file too small for the model.
	fn features(&self, file: &mut (impl Read + Seek)) -> io::Result<Result<Vec<i32>, &'static str>> {
		let config = &self.config;
		let size = file.seek(SeekFrom::End(0))?;
		if size == 0 {
			return Ok(Err("empty"));
		}
		let block = usize::try_from(size).map_or(config.block_size, |size| size.min(config.block_size));
		let start = read_at(file, 0, block)?;
		if size < config.min_file_size_for_dl as u64 {
			return Ok(Err(label_of_few_bytes(&start)));
		}
		let end = read_at(file, size - block as u64, block)?;

		let mut features = beginning(&start, config.beg_size, config.padding_token);
		if features[config.min_file_size_for_dl - 1] == config.padding_token {
			return Ok(Err(label_of_few_bytes(&start)));
		}
		features.extend(ending(&end, config.end_size, config.padding_token));
		Ok(Ok(features))
	}

	/// Label and note for the model's first choice.
	fn decide(&self, choice: &str, score: f64) -> (String, Option<String>) {
		let config = &self.config;
		let mapped = config.overwrite_map.get(choice).map_or(choice, String::as_str);
		let threshold = *config
			.thresholds
			.get(choice)
			.unwrap_or(&config.medium_confidence_threshold);
		if score >= threshold {
			let note = (mapped != choice).then(|| format!("the model says {choice}, which is shown as {mapped}"));
			return (mapped.into(), note);
		}
		let generic = if TEXT_TYPES.binary_search(&mapped).is_ok() {
			"txt"
		} else {
			"unknown"
		};
		let note = (generic != choice)
			.then(|| format!("the model says {choice}, but is less sure than the {threshold} that this type asks for"));
		(generic.into(), note)
	}
}

impl Recipe for Magika {
	fn prepare(&self, path: &Path, spec: &VersionSpec) -> Result<Prepared, RecipeError> {
		let failed = |source| RecipeError::File {
			path: path.display().to_string(),
			source,
		};
		let features = self.features(&mut File::open(path).map_err(failed)?).map_err(failed)?;
		match features {
			Err(label) => Ok(Prepared::Answer(Answer {
				label: label.into(),
				score: None,
				note: Some("found without the model: the file is too small for it, nothing was paid".into()),
				choices: Vec::new(),
			})),
			Ok(features) => {
				let [input] = spec.inputs.as_slice() else {
					return Err(RecipeError::Model("it does not take exactly one input".into()));
				};
				let name = String::from_utf8_lossy(&input.name);
				let data = features.iter().flat_map(|number| number.to_le_bytes()).collect();
				let tensor = Tensor::new(name, DType::I32, vec![1, features.len()], data)
					.and_then(|tensor| {
						tensors::check_against(std::slice::from_ref(&tensor), &spec.inputs)?;
						Ok(tensor)
					})
					.map_err(|error| RecipeError::Model(error.to_string()))?;
				Ok(Prepared::Input(tensors::serialize(&[tensor])))
			}
		}
	}

	fn answer(&self, output: &[u8], _: &VersionSpec) -> Result<Answer, RecipeError> {
		let tensors = tensors::parse(output).map_err(|error| RecipeError::Output(error.to_string()))?;
		let labels = &self.config.target_labels_space;
		let scores = match tensors.as_slice() {
			[Tensor {
				dtype: DType::F32,
				shape,
				data,
				..
			}] if *shape == [1, labels.len()] => data
				.chunks_exact(4)
				.map(|bytes| f64::from(f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])))
				.collect::<Vec<_>>(),
			_ => {
				return Err(RecipeError::Output(format!(
					"one tensor F32[1, {}] was expected",
					labels.len()
				)))
			}
		};
		let mut choices: Vec<(String, f64)> = labels.iter().cloned().zip(scores).collect();
		// Stable: of equal scores the first label wins, as in the package.
		choices.sort_by(|(_, a), (_, b)| b.total_cmp(a));
		choices.truncate(CHOICES);
		let (first, score) = choices[0].clone();
		let (label, note) = self.decide(&first, score);
		Ok(Answer {
			label,
			score: Some(score),
			note,
			choices,
		})
	}
}

fn read_at(file: &mut (impl Read + Seek), at: u64, length: usize) -> io::Result<Vec<u8>> {
	file.seek(SeekFrom::Start(at))?;
	let mut bytes = vec![0; length];
	file.read_exact(&mut bytes)?;
	Ok(bytes)
}

/// What Python's `bytes.strip` takes away.
fn is_space(byte: &u8) -> bool {
	matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// The first `size` bytes after leading white space, padded at the end.
fn beginning(block: &[u8], size: usize, padding: i32) -> Vec<i32> {
	let start = block.iter().position(|byte| !is_space(byte)).unwrap_or(block.len());
	let mut numbers: Vec<i32> = block[start..].iter().take(size).map(|byte| i32::from(*byte)).collect();
	numbers.resize(size, padding);
	numbers
}

/// The last `size` bytes before trailing white space, padded at the beginning.
fn ending(block: &[u8], size: usize, padding: i32) -> Vec<i32> {
	let end = block
		.iter()
		.rposition(|byte| !is_space(byte))
		.map_or(0, |last| last + 1);
	let kept = &block[end.saturating_sub(size)..end];
	let mut numbers = vec![padding; size - kept.len()];
	numbers.extend(kept.iter().map(|byte| i32::from(*byte)));
	numbers
}

fn label_of_few_bytes(bytes: &[u8]) -> &'static str {
	if std::str::from_utf8(bytes).is_ok() {
		"txt"
	} else {
		"unknown"
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use highway_primitives::{
		model::{TensorSpec, Unit, VerificationPolicy, MIN_DETECTION},
		BlobRef,
	};
	use std::io::{Cursor, Write};

	/// The package's own values, with four of its 214 labels.
	const CONFIG: &str = r#"{"beg_size":1024,"mid_size":0,"end_size":1024,"use_inputs_at_offsets":false,
		"medium_confidence_threshold":0.5,"min_file_size_for_dl":8,"padding_token":256,"block_size":4096,
		"target_labels_space":["markdown","pdf","png","randombytes"],
		"thresholds":{"markdown":0.75},"overwrite_map":{"randombytes":"unknown","randomtxt":"txt"},"version_major":3}"#;

	fn magika() -> Magika {
		Magika::new(CONFIG.as_bytes()).unwrap()
	}

	fn features(bytes: &[u8]) -> Result<Vec<i32>, &'static str> {
		magika().features(&mut Cursor::new(bytes)).unwrap()
	}

	fn spec() -> VersionSpec {
		let tensor = |name: &str, dtype, length| TensorSpec {
			name: name.as_bytes().to_vec().try_into().unwrap(),
			dtype,
			shape: vec![None, Some(length)].try_into().unwrap(),
		};
		VersionSpec {
			artifact: BlobRef::of(b""),
			licence: Default::default(),
			inputs: vec![tensor("bytes", DType::I32, 2048)].try_into().unwrap(),
			outputs: vec![tensor("target_label", DType::F32, 4)].try_into().unwrap(),
			unit: Unit::Request,
			unit_time_ms: 100,
			policy: VerificationPolicy::Exact,
			trace: None,
			detection: MIN_DETECTION,
			shares_runs: false,
			recipe: None,
		}
	}

	fn output(scores: [f32; 4]) -> Vec<u8> {
		let data = scores.iter().flat_map(|score| score.to_le_bytes()).collect();
		tensors::serialize(&[Tensor::new("target_label", DType::F32, vec![1, 4], data).unwrap()])
	}

	/// Sums and corners of the features that the Python package extracts from the same bytes.
	#[test]
	fn features_should_be_those_of_the_python_package() {
		let weighted = |numbers: &[i32]| -> i64 {
			numbers
				.iter()
				.zip(1i64..)
				.map(|(number, place)| i64::from(*number) * place)
				.sum()
		};
		let long: Vec<u8> = (0..10_000u32).map(|i| (i * i / 7 % 251) as u8).collect();
		let spaced = [
			b" \t\n\x0b\x0c\r".repeat(200),
			b"hello, world".to_vec(),
			b"\r\n \x0b".repeat(1100),
		]
		.concat();
		let cases: [(&[u8], i64); 5] = [
			(b"import os\nprint(os.getcwd())\n", 527_687_956),
			(b"  \n{\"a\": 1}   \n", 532_642_910),
			(&long, 269_601_293),
			(&spaced, 411_451_777),
			(&[0xff; 1500], 535_034_880),
		];
		for (index, (bytes, expected)) in cases.into_iter().enumerate() {
			let features = features(bytes).unwrap();
			assert_eq!(features.len(), 2048);
			assert_eq!(weighted(&features), expected, "case {index}");
		}
	}

	#[test]
	fn features_should_be_padded_on_the_outer_side() {
		let features = features(b" 12345678 ").unwrap();
		assert_eq!(features[..9], [49, 50, 51, 52, 53, 54, 55, 56, 32]);
		assert_eq!(features[10], 256);
		assert_eq!(features[1024], 256);
		assert_eq!(features[2039..], [32, 49, 50, 51, 52, 53, 54, 55, 56]);
	}

	#[test]
	fn features_should_not_be_needed_when_the_file_is_tiny() {
		assert_eq!(features(b""), Err("empty"));
		assert_eq!(features(b"abc"), Err("txt"));
		assert_eq!(features(&[0xff, 0xfe]), Err("unknown"));
		assert_eq!(features(b"             abc"), Err("txt"));
		// Only the beginning is stripped of what leads: the spaces after it count, as in the package.
		assert!(features(b"     abc        ").is_ok());
		assert_eq!(features(&[&[b' '; 20], b"\xff".as_slice()].concat()), Err("unknown"));
	}

	#[test]
	fn prepare_should_make_an_input_that_fits_the_model() {
		let mut file = tempfile::NamedTempFile::new().unwrap();
		file.write_all(b"%PDF-1.7 and more").unwrap();
		let Prepared::Input(input) = magika().prepare(file.path(), &spec()).unwrap() else {
			panic!("answered")
		};
		let tensors = tensors::parse(&input).unwrap();
		tensors::check_against(&tensors, &spec().inputs).unwrap();
		assert_eq!(tensors[0].data[..4], i32::from(b'%').to_le_bytes());
	}

	#[test]
	fn prepare_should_refuse_when_the_model_is_another() {
		let mut other = spec();
		other.inputs[0].shape = vec![None, Some(512)].try_into().unwrap();
		let mut file = tempfile::NamedTempFile::new().unwrap();
		file.write_all(b"%PDF-1.7 and more").unwrap();
		assert!(matches!(
			magika().prepare(file.path(), &other),
			Err(RecipeError::Model(_))
		));
	}

	#[test]
	fn answer_should_follow_thresholds_and_overwrites() {
		let label = |scores| {
			let answer = magika().answer(&output(scores), &spec()).unwrap();
			(answer.label, answer.note.is_some())
		};
		assert_eq!(label([0.01, 0.9, 0.05, 0.04]), ("pdf".into(), false));
		assert_eq!(label([0.74, 0.1, 0.1, 0.06]), ("txt".into(), true));
		assert_eq!(label([0.76, 0.1, 0.1, 0.04]), ("markdown".into(), false));
		assert_eq!(label([0.1, 0.2, 0.4, 0.3]), ("unknown".into(), true));
		assert_eq!(label([0.0, 0.0, 0.1, 0.9]), ("unknown".into(), true));
	}

	#[test]
	fn answer_should_refuse_when_the_output_has_another_shape() {
		let other = tensors::serialize(&[Tensor::new("x", DType::F32, vec![1, 1], vec![0; 4]).unwrap()]);
		assert!(matches!(magika().answer(&other, &spec()), Err(RecipeError::Output(_))));
		assert!(matches!(
			magika().answer(b"nonsense", &spec()),
			Err(RecipeError::Output(_))
		));
	}

	#[test]
	fn text_types_should_be_sorted_for_the_search() {
		assert!(TEXT_TYPES.is_sorted());
	}

	#[test]
	fn config_should_be_refused_when_the_recipe_cannot_follow_it() {
		for (from, to) in [
			("\"mid_size\":0", "\"mid_size\":8"),
			("\"min_file_size_for_dl\":8", "\"min_file_size_for_dl\":0"),
		] {
			assert!(Magika::new(CONFIG.replace(from, to).as_bytes()).is_err(), "{to}");
		}
	}
}
