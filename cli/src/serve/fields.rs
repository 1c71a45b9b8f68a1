//! The fields of a JSON body, and refusals that say which is wrong, what was expected and what was found.

use serde_json::{Map, Value};

use super::problem::Problem;

/// Characters of a wrong value that a refusal repeats.
const SHOWN: usize = 60;

/// Takes the fields of a body and says which are wrong.
pub(super) struct Fields(pub(super) Map<String, Value>);

impl Fields {
    pub(super) fn wrong(name: &str, expected: &str, found: Option<&Value>) -> Problem {
        let found = found.map_or_else(|| "nothing".to_owned(), Value::to_string);
        let mut shown: String = found.chars().take(SHOWN).collect();
        if shown.len() < found.len() {
            shown.push('…');
        }
        Problem::argument(format!("{name}: expected {expected}, found {shown}"))
    }

    /// What is there and not null.
    fn given(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&mut self, name: &str) -> Result<String, Problem> {
        match self.0.remove(name) {
            Some(Value::String(text)) => Ok(text),
            other => Err(Self::wrong(name, "a string", other.as_ref())),
        }
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<bool, Problem> {
        match self.given(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            other => Err(Self::wrong(name, "true or false", other.as_ref())),
        }
    }

    pub(super) fn count(&mut self, name: &str) -> Result<Option<usize>, Problem> {
        let Some(value) = self.given(name) else {
            return Ok(None);
        };
        let whole = (value.as_f64()).filter(|number| number.fract() == 0.0 && *number >= 1.0);
        whole
            .map(|number| Some(number as usize))
            .ok_or_else(|| Self::wrong(name, "a whole number above 0", Some(&value)))
    }

    pub(super) fn list(&mut self, name: &str, most: usize) -> Result<Vec<Value>, Problem> {
        match self.0.remove(name) {
            Some(Value::Array(values)) if values.len() > most => Err(Problem::new(
                "too_large",
                format!("{name}: expected at most {most}, found {}", values.len()),
            )),
            Some(Value::Array(values)) => Ok(values),
            other => Err(Self::wrong(name, "a list", other.as_ref())),
        }
    }

    pub(super) fn strings(&mut self, name: &str, most: usize) -> Result<Vec<String>, Problem> {
        let values = self.list(name, most)?;
        let text = |(index, value)| match value {
            Value::String(text) => Ok(text),
            other => {
                let place = format!("{name}[{index}]");
                Err(Self::wrong(&place, "a string", Some(&other)))
            }
        };
        values.into_iter().enumerate().map(text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_wrong_value_is_shown_from_its_start() {
        let long = Value::from(vec!["x".repeat(100)]);
        let mut fields = Fields(Map::from_iter([("query".to_owned(), long)]));
        let refusal = fields.text("query").unwrap_err().body("id");
        let shown = format!(
            "query: expected a string, found [\"{}…",
            "x".repeat(SHOWN - 2)
        );
        assert_eq!(refusal["message"], shown);
    }
}
