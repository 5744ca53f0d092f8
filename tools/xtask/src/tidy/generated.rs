//! Files that are made from others: the compliance report and the index of requirements.

use crate::compliance;
use crate::covers::Covers;
use crate::finding::Finding;
use crate::project::Project;
use crate::{command, requirements};

/// Makes each of them again and compares.
pub(crate) fn check(project: &Project, covers: &Covers) -> Vec<Finding> {
    [compliance_fault(project, covers), index_fault(project)].into_iter().flatten().collect()
}

fn compliance_fault(project: &Project, covers: &Covers) -> Option<Finding> {
    let wanted = compliance::page(project, covers);
    let is_same = project.tree.text(compliance::PATH) == Some(wanted.as_str());
    let text = "it is stale; run `cargo xtask compliance`";
    (!is_same).then(|| Finding::new(compliance::PATH, 0, text))
}

/// The specification's own script compares; without it, or without Python, this fails.
fn index_fault(project: &Project) -> Option<Finding> {
    let error = command::output(&project.root, "sh", &[MAKE_INDEX, "--check"]).err()?;
    let text = format!("{} is not what make-index makes: {error:#}", requirements::PATH);
    Some(Finding::new(MAKE_INDEX, 0, text))
}

const MAKE_INDEX: &str = "docs/spec/make-index.sh";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;
    use crate::{covers, project};

    #[test]
    fn a_stale_report_is_found() {
        let mut project = project::of_files(&[]);
        let covers = covers::collect(&project);
        assert!(compliance_fault(&project, &covers).is_some(), "a missing report passed");
        let page = compliance::page(&project, &covers);
        project.tree.files.insert(compliance::PATH.to_owned(), Some(page.clone()));
        assert!(compliance_fault(&project, &covers).is_none());
        project.tree.files.insert(compliance::PATH.to_owned(), Some(page.replace("0 /", "1 /")));
        assert!(compliance_fault(&project, &covers).is_some(), "a stale report passed");
    }

    #[test]
    fn a_script_that_fails_or_is_missing_is_found() {
        let scratch = Scratch::folder();
        let project = Project { root: scratch.path().to_path_buf(), ..Project::default() };
        assert!(index_fault(&project).is_some(), "a missing script passed");
        scratch.write(MAKE_INDEX, "echo LIQ-1 is duplicated >&2\nexit 1\n");
        let fault = index_fault(&project).expect("a failing script is a fault");
        assert!(fault.text.contains("LIQ-1 is duplicated"), "{}", fault.text);
        scratch.write(MAKE_INDEX, "exit 0\n");
        assert!(index_fault(&project).is_none());
    }
}
