//! What is known inside a loop and outside of it (DECISIONS A30).

use super::kit::*;

#[test]
fn items_are_known_inside_only() {
    let flow = workflow(vec![
        foreach(2, vec![claude(3, "${item} ${item.name} ${item_index} ${item_total} ${item_id}")]),
        claude(4, "${item.name}"),
    ]);
    assert_eq!(
        problems(&flow),
        ["4:15 error: `item` is only known inside the `do` of a `foreach` \
          [move the step into the loop, or use `${ID.results}` of the loop after it]"]
    );
}

#[test]
fn what_a_round_captures_is_not_seen_outside() {
    let flow = workflow(vec![
        foreach(2, vec![shell(3, "x").captured("out"), claude(4, "${out}")]),
        claude(5, "${out}"),
    ]);
    assert_eq!(
        problems(&flow),
        ["5:15 error: `out` is only known inside the loop that sets it (line 3) \
          [after the loop use `${ID.results}` with the id of the `foreach` step]"]
    );
}

#[test]
fn a_round_sees_what_was_before_the_loop_and_around_it() {
    let inner = foreach(4, vec![claude(5, "${before} ${outer} ${item}")]);
    let flow = workflow(vec![
        shell(2, "x").captured("before"),
        foreach(3, vec![shell(3, "x").captured("outer"), inner]),
    ]);
    assert_eq!(problems(&flow), Vec::<String>::new());
}

#[test]
fn a_name_captured_again_after_the_loop_is_known() {
    let flow = workflow(vec![
        foreach(2, vec![shell(3, "x").captured("out")]),
        shell(4, "x").captured("out"),
        claude(5, "${out}"),
    ]);
    assert_eq!(problems(&flow), Vec::<String>::new());
}
