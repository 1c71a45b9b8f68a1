//! `foliorank generate`: hard-negative queries from pages, with a language model or by rules, as
//! training data.
//!
//! Everything asked and every finished page is kept in a folder beside the output, so a run that
//! was stopped, by a budget, a failing provider or a power cut, goes on without paying twice. Keys
//! come from the environment and go nowhere but into the request.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use foliorank::image::ImageOptions;
use foliorank::negatives::{Budget, Layout, Prices, Property, Settings};
use foliorank::strategy::Group;
use foliorank::{DeviceKind, Error, Judge, Reranker};

mod client;
mod clock;
mod estimate;
mod form;
mod input;
mod provider;
mod report;
mod store;
mod work;

use client::{Client, Key, Patience};
use estimate::Estimate;
use input::{Input, Reading};
use provider::Endpoint;

/// Arguments of `foliorank generate`.
#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// A text, Markdown, HTML, PDF, PNG, JPEG or WebP file, or a folder of them; an image beside a
    /// text of the same name is that page's image.
    #[arg(long, value_name = "PATH")]
    input: PathBuf,
    /// The training data.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// What the training data looks like.
    #[arg(long, value_enum, default_value_t = Format::Groups)]
    format: Format,
    /// Who writes queries: none (rules), openai[:URL], anthropic[:URL] or google[:URL]; keys from
    /// `OPENAI_API_KEY`, `ANTHROPIC_API_KEY` and `GEMINI_API_KEY`.
    #[arg(long, default_value = "none", value_name = "PROVIDER")]
    llm: Choice,
    /// The model's name there.
    #[arg(long, value_name = "NAME")]
    llm_model: Option<String>,
    /// Who verifies queries, if not who writes them; another model is better.
    #[arg(long, value_name = "PROVIDER", requires = "verifier_model")]
    verifier: Option<Endpoint>,
    /// The verifying model's name.
    #[arg(long, value_name = "NAME")]
    verifier_model: Option<String>,
    /// The local judge: name of a model in the cache, or a folder with a model.json.
    #[arg(long, default_value = "ms-marco-minilm-l12-v2")]
    model: String,
    /// Where the judge runs.
    #[arg(long, default_value = "cpu")]
    device: DeviceKind,
    /// Pages at once, so calls at once.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    parallel: u16,
    /// Folder for answers and finished pages; OUT.cache when not given.
    #[arg(long, value_name = "FOLDER")]
    cache: Option<PathBuf>,
    /// Only say how much would be asked.
    #[arg(long)]
    dry_run: bool,
    /// Print so many negatives, those that fool the judge first.
    #[arg(long, value_name = "N", default_value_t = 0)]
    show: usize,
    /// Longest side of an image as the model sees it, in pixels; larger ones are scaled.
    #[arg(long, value_name = "PIXELS", default_value_t = ImageOptions::default().longest_side, value_parser = clap::value_parser!(u32).range(16..=8192))]
    image_side: u32,
    /// Program that turns a PDF into text, as poppler's does.
    #[arg(long, value_name = "PROGRAM", default_value = "pdftotext")]
    pdf_to_text: String,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    pipeline: Pipeline,
}

/// What may be spent, and how long one waits.
#[derive(Debug, Args)]
struct Limits {
    /// Most calls.
    #[arg(long, value_name = "N")]
    max_calls: Option<u64>,
    /// Most tokens, read and written.
    #[arg(long, value_name = "N")]
    max_tokens: Option<u64>,
    /// Most money, in the currency of the prices.
    #[arg(long, value_name = "MONEY", requires = "price_in", requires = "price_out", value_parser = amount)]
    max_cost: Option<f64>,
    /// Price of a million tokens read.
    #[arg(long, value_name = "MONEY", default_value = "0", value_parser = amount)]
    price_in: f64,
    /// Price of a million tokens written.
    #[arg(long, value_name = "MONEY", default_value = "0", value_parser = amount)]
    price_out: f64,
    /// Attempts after a failed one.
    #[arg(long, value_name = "N", default_value_t = 4)]
    retries: u32,
    /// Seconds of one attempt.
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,
}

/// [`Settings`], as arguments.
#[derive(Debug, Args)]
struct Pipeline {
    /// Positive queries asked for.
    #[arg(long, value_name = "N", default_value_t = Settings::default().candidates)]
    candidates: usize,
    /// Positives kept of each page.
    #[arg(long, value_name = "N", default_value_t = Settings::default().positives)]
    positives: usize,
    /// Variants asked for of each positive.
    #[arg(long, value_name = "N", default_value_t = Settings::default().variants)]
    variants: usize,
    /// Negatives kept of each positive.
    #[arg(long, value_name = "N", default_value_t = Settings::default().negatives)]
    negatives: usize,
    /// Properties to change: year, entity, number, metric, subject, segment, custom:NAME.
    #[arg(long, value_name = "PROPERTY", value_delimiter = ',')]
    property: Vec<Property>,
    /// Edits asked for of each property.
    #[arg(long, value_name = "N", default_value_t = Settings::default().edits)]
    edits: usize,
    /// Share of positives said again in other words.
    #[arg(long, value_name = "SHARE", default_value_t = Settings::default().rephrase)]
    rephrase: f32,
    /// Share of positives made precise with the page.
    #[arg(long, value_name = "SHARE", default_value_t = Settings::default().rewrite)]
    rewrite: f32,
    /// Decides every draw.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// [`Layout`], as an argument.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// A group a line, complete.
    Groups,
    /// sentence-transformers' anchor, positive, negative.
    Triplets,
    /// The columns of the published `ColHNQue` set.
    Colhnque,
}

/// A provider or the rules.
#[derive(Debug, Clone)]
struct Choice(Option<Endpoint>);

impl std::str::FromStr for Choice {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "none" => Ok(Self(None)),
            text => Ok(Self(Some(text.parse()?))),
        }
    }
}

fn amount(text: &str) -> Result<f64> {
    let amount: f64 = text.parse()?;
    ensure!(amount.is_finite() && amount >= 0.0, "expected 0 or more");
    Ok(amount)
}

impl GenerateArgs {
    /// The pages to work on.
    fn pages(&self) -> Result<Vec<Input>> {
        let reading = Reading {
            pdf_to_text: &self.pdf_to_text,
            image: ImageOptions {
                longest_side: self.image_side,
                ..ImageOptions::default()
            },
        };
        input::pages(&self.input, &reading)
    }

    fn settings(&self) -> Settings {
        let pipeline = &self.pipeline;
        Settings {
            candidates: pipeline.candidates,
            positives: pipeline.positives,
            variants: pipeline.variants,
            properties: pipeline.property.clone(),
            edits: pipeline.edits,
            negatives: pipeline.negatives,
            rephrase: pipeline.rephrase,
            rewrite: pipeline.rewrite,
            seed: pipeline.seed,
            ..Settings::default()
        }
    }

    fn budget(&self) -> Budget {
        let limits = &self.limits;
        Budget {
            calls: limits.max_calls,
            tokens: limits.max_tokens,
            cost: limits.max_cost,
            prices: Prices {
                input: limits.price_in,
                output: limits.price_out,
            },
        }
    }

    fn layout(&self) -> Layout {
        match self.format {
            Format::Groups => Layout::Groups,
            Format::Triplets => Layout::Triplets,
            Format::Colhnque => Layout::ColHnQue,
        }
    }

    /// Generator and verifier, if a language model was asked for.
    fn clients(&self, variable: impl Fn(&str) -> Option<String>) -> Result<Option<[Client; 2]>> {
        let Some(endpoint) = &self.llm.0 else {
            return Ok(None);
        };
        let model = self
            .llm_model
            .as_ref()
            .context("name the model with --llm-model")?;
        let patience = Patience {
            retries: self.limits.retries,
            timeout: Duration::from_secs(self.limits.timeout),
            pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(120),
        };
        let client = |endpoint: &Endpoint, model: &String| {
            let key = Key::from_environment(endpoint.key_variables(), &variable);
            Client::new(endpoint.clone(), model.clone(), key, patience)
        };
        let verifier = self.verifier.as_ref().unwrap_or(endpoint);
        let verifying = self.verifier_model.as_ref().unwrap_or(model);
        let generator = client(endpoint, model);
        let verifier = match (verifier, verifying) == (endpoint, model) {
            true => generator.clone(),
            false => client(verifier, verifying),
        };
        Ok(Some([generator, verifier]))
    }
}

/// Runs the command.
pub(crate) fn run(arguments: &GenerateArgs) -> Result<()> {
    let pages = arguments.pages()?;
    if arguments.dry_run {
        print!("{}", dry_run(arguments, &pages));
        return Ok(());
    }
    let clients = arguments.clients(|name| std::env::var(name).ok())?;
    let reranker = crate::rerank::load(&arguments.model, arguments.device);
    let judge = Shared::new(pollster::block_on(reranker)?);
    let outcome = work::all(arguments, &pages, clients.as_ref(), &judge)?;
    print!(
        "{}",
        report::text(&outcome, &arguments.model, arguments.show)
    );
    match outcome.stopped {
        None => Ok(()),
        Some(error) => {
            Err(error).context("stopped; what is finished is written, and the same command goes on")
        }
    }
}

fn dry_run(arguments: &GenerateArgs, pages: &[Input]) -> String {
    let bytes: usize = pages.iter().map(|page| page.page.text.len()).sum();
    let images = match pages.iter().filter(|page| page.image.is_some()).count() {
        0 => String::new(),
        n => format!(", {n} images"),
    };
    let pages_line = format!("{} pages, {bytes} bytes{images}\n", pages.len());
    if arguments.llm.0.is_none() {
        return pages_line + "by rules: no calls, no cost\n";
    }
    let estimate = Estimate::of(pages, &arguments.settings());
    let prices = arguments.budget().prices;
    let cost = match prices == Prices::default() {
        true => "no prices given (--price-in, --price-out)".to_owned(),
        false => format!("cost about {:.4}", estimate.cost(prices)),
    };
    format!(
        "{pages_line}at most {} calls, unless answers must be repaired; about {} tokens read, {} written; {cost}\n",
        estimate.calls, estimate.input_tokens, estimate.output_tokens
    )
}

/// The local model, one page at a time.
struct Shared {
    reranker: Mutex<Reranker>,
    name: String,
}

impl Shared {
    fn new(reranker: Reranker) -> Self {
        let manifest = reranker.manifest();
        let name = format!("{} {}", manifest.name, manifest.files.weights.sha256);
        Self {
            name,
            reranker: Mutex::new(reranker),
        }
    }
}

/// A judge that several pages may ask.
trait Named: Judge + Sync {
    /// What decides its scores.
    fn name(&self) -> &str;
}

impl Named for Shared {
    fn name(&self) -> &str {
        &self.name
    }
}

impl Judge for Shared {
    fn max_group(&self) -> usize {
        1
    }

    async fn judge(&self, groups: &[Group<'_>]) -> Result<Vec<Vec<f32>>, Error> {
        let Ok(reranker) = self.reranker.lock() else {
            let what = "the judge broke down on another page".into();
            return Err(Error::Internal { what });
        };
        // The threads' futures are driven one by one, so nothing else waits here.
        pollster::block_on(reranker.judge(groups))
    }
}

#[cfg(test)]
mod test_images;
#[cfg(test)]
#[path = "generate/test.rs"]
mod tests;
