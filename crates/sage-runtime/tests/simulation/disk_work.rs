//! What waits for the disk: epochs that are written, and merges.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use sage_runtime::WriterStep;

use super::files::{Worker, with_meanwhile};
use super::process::Process;

/// Does what there is to do for whoever writes epochs. At each operation of the disk the pipeline goes on.
pub fn write(process: &Rc<RefCell<Process>>) -> Result<WriterStep, String> {
    let job = Arc::clone(&process.borrow().job);
    let failure: Rc<RefCell<Option<String>>> = Rc::default();
    let meanwhile = {
        let (process, failure) = (Rc::clone(process), Rc::clone(&failure));
        Rc::new(move || {
            if failure.borrow().is_none()
                && let Err(error) = process.borrow_mut().meanwhile()
            {
                failure.replace(Some(error));
            }
        })
    };
    let step = with_meanwhile(Worker::Writer, meanwhile, || job.step_checkpoints())
        .map_err(|error| error.to_json())?;
    if let Some(error) = failure.take() {
        return Err(error);
    }
    let mut process = process.borrow_mut();
    process.note(7);
    process.natives_look();
    process.writer_is_over |= step == WriterStep::Over;
    Ok(step)
}

/// Merges the newest epoch, if that is wanted. At each operation of the disk the pipeline goes on, and the writer too.
pub fn merge(process: &Rc<RefCell<Process>>) -> Result<(), String> {
    let job = Arc::clone(&process.borrow().job);
    let failure: Rc<RefCell<Option<String>>> = Rc::default();
    let has_begun = Cell::new(false);
    let meanwhile = {
        let (process, failure) = (Rc::clone(process), Rc::clone(&failure));
        Rc::new(move || {
            if !has_begun.replace(true) {
                process.borrow_mut().merge_begins();
            }
            if failure.borrow().is_none()
                && let Err(error) = beside_merge(&process)
            {
                failure.replace(Some(error));
            }
        })
    };
    let merged = with_meanwhile(Worker::Merge, meanwhile, || job.step_merges());
    if let Some(error) = failure.take() {
        return Err(error);
    }
    let mut process = process.borrow_mut();
    process.note(8);
    match merged {
        Ok(has_merged) => process.merges += usize::from(has_merged),
        Err(_) if process.is_gone() => process.crashed_in_merge = true,
        Err(_) if process.faults.spoil_files() => {}
        Err(error) => return Err(format!("a merge failed on a sound disk: {}", error.to_json())),
    }
    Ok(())
}

fn beside_merge(process: &Rc<RefCell<Process>>) -> Result<(), String> {
    let mut own = process.borrow_mut();
    own.meanwhile()?;
    let writes = own.draws.percent(40) && !own.writer_is_over && !own.is_gone();
    drop(own);
    if writes {
        write(process)?;
    }
    Ok(())
}
