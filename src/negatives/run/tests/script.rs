//! A scripted model that knows the towns' page: it answers truthfully, or in one of several moods.

use serde_json::{Value, json};

use super::*;

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Mood {
    Perfect,
    /// Edits change a second word.
    Sloppy,
    /// Verification by the prompts marked calls everything answerable that has no Holm in 2021.
    SaysYes {
        prompts: [bool; 2],
    },
    /// Verification by the prompts marked calls everything unanswerable.
    SaysNo {
        prompts: [bool; 2],
    },
    SkipsVerdicts,
    ContradictsVerdicts,
    /// Verification by the prompts marked calls everything unanswerable where one thing is.
    JudgesByCompany {
        prompts: [bool; 2],
    },
    /// Calls the first of a long list unanswerable, whatever it is.
    DeniesFirst,
    /// Free variants are a property edit.
    VariesTheYear,
    BrokenAlways,
    BrokenOnce,
    Copies {
        of_positive: bool,
    },
    ObeysOrdersOutsideFences,
}

pub(super) struct Script {
    pub(super) mood: Mood,
    pub(super) seen: RefCell<Vec<LlmRequest>>,
    /// The call with this 0-based index fails.
    pub(super) fail_at: Cell<Option<usize>>,
}

impl Script {
    pub(super) fn new(mood: Mood) -> Self {
        Self {
            mood,
            seen: RefCell::default(),
            fail_at: Cell::default(),
        }
    }

    fn truth(&self, request: &LlmRequest) -> Value {
        let schema = request
            .schema
            .as_ref()
            .map(|s| s["properties"].to_string())
            .unwrap_or_default();
        let data = inside_fences(&request.user);
        let lines: Vec<&str> = data
            .lines()
            .filter_map(|l| {
                l.split_once(". ")
                    .filter(|(n, _)| n.parse::<usize>().is_ok())
                    .map(|(_, l)| l)
            })
            .collect();
        if schema.contains("verdicts") {
            return self.verdicts(&lines, usize::from(request.system.contains("librarian")));
        }
        if schema.contains("edits") {
            return self.edits(
                data.trim(),
                request.system.contains("property") && request.user.contains("building"),
            );
        }
        if schema.contains("plan") && !request.images.is_empty() {
            // What every image shows.
            let ask = |i: usize| json!({"plan": i + 1, "query": format!("How many mills did Holm{i} have in 2021?"), "answer": format!("{} water mills", i * 7 + 3)});
            return json!({"queries": (0..6).map(ask).collect::<Vec<_>>()});
        }
        if schema.contains("plan") {
            let ask = |(i, line): (usize, &&str)| {
                let town = line
                    .split_whitespace()
                    .find(|w| w.starts_with("Holm"))
                    .unwrap_or("Holm9");
                let number = line
                    .split_whitespace()
                    .skip(2)
                    .find(|w| w.parse::<u32>().is_ok())
                    .unwrap_or("?");
                json!({"plan": i + 1, "query": format!("How many mills did {town} have in 2021?"), "answer": format!("{number} water mills")})
            };
            return json!({"queries": lines.iter().enumerate().map(ask).collect::<Vec<_>>()});
        }
        if schema.contains("number") {
            let say = |(i, line): (usize, &&str)| {
                let town = line
                    .split_whitespace()
                    .find(|w| w.starts_with("Holm"))
                    .unwrap_or("Holm9");
                let page = request.user.contains("water mills on");
                let query = if page {
                    format!(
                        "How many water mills did the town of {town} have on its river in 2021?"
                    )
                } else {
                    format!("What number of mills stood in {town} in 2021?")
                };
                json!({"number": i + 1, "query": query})
            };
            return json!({"queries": lines.iter().enumerate().map(say).collect::<Vec<_>>()});
        }
        let positive = data.trim();
        let nouns = [
            "schools", "bridges", "farms", "wells", "chapels", "inns", "barns", "shops", "boats",
            "orchards", "kilns", "towers",
        ];
        let vary = |noun: &&str| match self.mood {
            Mood::Copies { of_positive: true } => positive.to_uppercase(),
            Mood::Copies { of_positive: false } => positive.replace("mills", "the wells"),
            Mood::VariesTheYear => positive.replace("2021", "2019"),
            _ => positive.replace("mills", noun),
        };
        json!({"queries": nouns.iter().map(vary).collect::<Vec<_>>()})
    }

    fn verdicts(&self, lines: &[&str], prompt: usize) -> Value {
        let truth = |line: &str| {
            ["mills", "2021", "Holm"]
                .iter()
                .all(|word| line.contains(word))
        };
        let wrong_company = !lines.iter().all(|line| truth(line));
        let verdict = |(i, line): (usize, &&str)| {
            let truth = truth(line);
            let answerable = match self.mood {
                Mood::JudgesByCompany { prompts } if prompts[prompt] => truth && !wrong_company,
                Mood::DeniesFirst if lines.len() > 6 => truth && i > 0,
                Mood::SaysYes { prompts } if prompts[prompt] => true,
                Mood::SaysNo { prompts } if prompts[prompt] => false,
                _ => truth,
            };
            json!({"number": i + 1, "evidence": "", "answerable": answerable})
        };
        let mut verdicts: Vec<Value> = lines.iter().enumerate().map(verdict).collect();
        match self.mood {
            Mood::SkipsVerdicts if prompt == 1 => verdicts.clear(),
            Mood::ContradictsVerdicts if prompt == 0 => {
                let against = |v: &Value| json!({"number": v["number"], "answerable": v["answerable"] == json!(false)});
                verdicts.extend(verdicts.clone().iter().map(against));
            }
            _ => {}
        }
        json!({ "verdicts": verdicts })
    }

    fn edits(&self, data: &str, building: bool) -> Value {
        let positive = data.lines().find(|l| l.contains('?')).unwrap_or_default();
        let pairs = if building {
            [("mills", "silos"), ("mills", "forges")]
        } else {
            [("2021", "2019"), ("2021", "2018")]
        };
        let edit = |(from, to): (&str, &str)| {
            let mut query = positive.replace(from, to);
            if self.mood == Mood::Sloppy {
                query = query.replace("many", "few");
            }
            json!({"query": query, "from": from, "to": to})
        };
        json!({"edits": pairs.map(edit)})
    }
}

impl Llm for Script {
    async fn complete(&self, request: &LlmRequest) -> Result<LlmAnswer, Error> {
        let index = self.seen.borrow().len();
        if self.fail_at.get() == Some(index) {
            return Err(Error::Llm { what: "503".into() });
        }
        self.seen.borrow_mut().push(request.clone());
        let repair = request.system.contains("repair JSON");
        let text = match self.mood {
            Mood::BrokenAlways => "{\"queries\": [".to_owned(),
            Mood::BrokenOnce if repair => inside_fences(&request.user) + "}",
            Mood::ObeysOrdersOutsideFences
                if outside_fences(&request.user).contains("mark every query") =>
            {
                "{}".into()
            }
            _ => self.truth(request).to_string(),
        };
        // Cut where a reader stops and a repairer does not need to guess.
        let text = match self.mood {
            Mood::BrokenOnce if !repair => text[..text.len() - 1].to_owned(),
            _ => text,
        };
        Ok(LlmAnswer {
            text,
            input_tokens: 10,
            output_tokens: 10,
        })
    }
}

/// The lines between marker lines.
pub(super) fn inside_fences(user: &str) -> String {
    split(user).0
}

/// The lines that are not.
pub(super) fn outside_fences(user: &str) -> String {
    split(user).1
}

fn split(user: &str) -> (String, String) {
    let (mut inside, mut outside) = (String::new(), String::new());
    let mut open: Option<String> = None;
    for line in user.lines() {
        match &open {
            Some(close) if line == close => open = None,
            Some(_) => inside += &format!("{line}\n"),
            None if line.starts_with('<') && line.contains(" data-") => {
                open = Some(line.replacen('<', "</", 1))
            }
            None => outside += &format!("{line}\n"),
        }
    }
    (inside, outside)
}
