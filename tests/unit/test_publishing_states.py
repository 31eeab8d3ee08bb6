"""What may follow what, and what an episode is by its publications."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.models.publishing import PUBLICATION_STATES
from core.publishing import states


def test_every_state_has_its_transitions_and_they_lead_to_states() -> None:
    assert set(states.TRANSITIONS) == set(PUBLICATION_STATES)
    for current, following in states.TRANSITIONS.items():
        assert following <= set(PUBLICATION_STATES), current


def test_published_is_never_left_for_anything_that_could_publish_again() -> None:
    seen, todo = set(), ["published", "published_with_warnings"]
    while todo:
        state = todo.pop()
        seen.add(state)
        todo += [each for each in states.TRANSITIONS[state] if each not in seen]
    assert seen == states.PUBLISHED


def test_every_state_but_published_can_reach_published_or_be_cancelled() -> None:
    for start in PUBLICATION_STATES:
        seen, todo = set(), [start]
        while todo:
            state = todo.pop()
            seen.add(state)
            todo += [each for each in states.TRANSITIONS[state] if each not in seen]
        assert seen & states.PUBLISHED, start


def test_what_the_user_may_do_is_a_transition() -> None:
    for state in states.MOVABLE:
        assert states.may_follow(state, "scheduled"), state
    for state in states.CANCELLABLE:
        assert states.may_follow(state, "cancelled"), state
    assert not states.CANCELLABLE & (states.PUBLISHED | {"submitting", "processing"})
    assert not states.MOVABLE & (states.PUBLISHED | states.ACTIVE | {"needs_review"})


@given(st.lists(st.sampled_from(PUBLICATION_STATES)))
def test_an_episode_is_published_as_soon_as_one_publication_is(all_states: list[str]) -> None:
    state = states.episode_state(all_states)
    assert (state == "published") == bool(set(all_states) & states.PUBLISHED)
    if set(all_states) <= {"draft", "cancelled", "failed"}:
        assert state == "draft"
