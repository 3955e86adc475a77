//! The rotation of a whole fleet, in waves: what it is, how its components are doing, and what is to be done next. All of it
//! decides and does nothing.

use std::time::Duration;

use stratora_clock::Timestamp;

use crate::{ComponentId, ComponentKind, FleetRotationId, Standing, Status};

/// How a fleet is to be rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WavePlan {
    kind: Option<ComponentKind>,
    size: u32,
    max_refused_percent: u32,
    timeout: Duration,
}

/// A number of a plan is out of its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be from {least} to {most}")]
pub struct RefusedPlan {
    /// Which number.
    pub field: PlanField,
    /// The least that it may be.
    pub least: u32,
    /// The most that it may be.
    pub most: u32,
}

/// The numbers of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanField {
    /// How many components a wave has at the most.
    Size,
    /// Beyond which share of lost components it stops.
    MaxRefusedPercent,
    /// How many seconds a wave is waited for.
    TimeoutSeconds,
}

impl WavePlan {
    /// A wave is small beside a fleet, and its components answer within a minute or so. One lost component in twenty is more
    /// than chance.
    pub const DEFAULT: Self = Self { kind: None, size: 50, max_refused_percent: 5, timeout: Duration::from_mins(5) };

    /// The plan with those numbers in place of the defaults. Waves of at most 1,000 components, which one server asks in
    /// seconds; waited for at least as long as a component may be silent, and at most a day.
    ///
    /// # Errors
    /// [`RefusedPlan`] when one is out of its range.
    pub fn new(
        kind: Option<ComponentKind>,
        size: Option<u32>,
        max_refused_percent: Option<u32>,
        timeout_seconds: Option<u32>,
    ) -> Result<Self, RefusedPlan> {
        let within = |field, given: Option<u32>, unless: u32, least, most| match given.unwrap_or(unless) {
            number if (least..=most).contains(&number) => Ok(number),
            _ => Err(RefusedPlan { field, least, most }),
        };
        let Self { size: usual_size, max_refused_percent: usual_percent, .. } = Self::DEFAULT;
        let seconds = within(PlanField::TimeoutSeconds, timeout_seconds, 300, 30, 86_400)?;
        Ok(Self {
            kind,
            size: within(PlanField::Size, size, usual_size, 1, 1000)?,
            max_refused_percent: within(PlanField::MaxRefusedPercent, max_refused_percent, usual_percent, 0, 100)?,
            timeout: Duration::from_secs(seconds.into()),
        })
    }

    /// Components of this kind only.
    pub const fn kind(&self) -> Option<ComponentKind> {
        self.kind
    }

    /// How many components a wave has at the most.
    pub const fn size(&self) -> u32 {
        self.size
    }

    /// Beyond which share of those asked may be lost before it stops by itself.
    pub const fn max_refused_percent(&self) -> u32 {
        self.max_refused_percent
    }

    /// How long a wave is waited for; the next one begins then all the same.
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }
}

/// How far a rotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotationState {
    /// It goes on.
    Running,
    /// Every component that could be asked was.
    Finished,
    /// It stopped by itself: too many components were lost.
    Stopped,
    /// Somebody ended it.
    Cancelled,
}

impl RotationState {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Stopped => "stopped",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state with that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Running, Self::Finished, Self::Stopped, Self::Cancelled].into_iter().find(|state| state.as_str() == name)
    }
}

/// A rotation of the fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetRotation {
    /// Its identifier.
    pub id: FleetRotationId,
    /// How it is done.
    pub plan: WavePlan,
    /// How far it is.
    pub state: RotationState,
    /// Why it stopped by itself, if it did.
    pub reason: Option<String>,
    /// How many components there were to ask when it began.
    pub total: u64,
    /// The number of the last wave that has begun; 0 before the first.
    pub wave: u64,
    /// When that one began.
    pub wave_began_at: Option<Timestamp>,
    /// Who began it.
    pub started_by: String,
    /// When.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// A component of one of the waves, as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Which component.
    pub component: ComponentId,
    /// Of which wave.
    pub wave: u64,
    /// When it was asked; not yet, when absent.
    pub asked_at: Option<Timestamp>,
    /// Whether it is let in.
    pub standing: Standing,
    /// When it last made a request with a key that is good.
    pub last_seen_at: Option<Timestamp>,
    /// Whether it has another key than before the wave.
    pub has_new_key: bool,
    /// When that one was first used, if it was.
    pub new_key_used_at: Option<Timestamp>,
}

/// How long components may take to come back to servers that were away. They wait longer after every failure, up to five
/// minutes; then they have to be seen.
pub const RETURN_WITHIN: Duration = Duration::from_secs(5 * 60 + Status::OFFLINE_AFTER.as_secs());

/// When it is, and since when the server that asks has been there without a break: what it did not hear before that says
/// nothing about components.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    /// The present.
    pub now: Timestamp,
    /// Since when it has been listening.
    pub since: Timestamp,
}

impl Watch {
    /// Whether some of the components that were away together with the server may not be back yet.
    fn is_early(self) -> bool {
        self.now.since(self.since) <= RETURN_WITHIN
    }
}

/// How a component of a wave is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It will be asked in a moment.
    Picked,
    /// It was asked, and has not used a new key yet.
    Asked,
    /// It uses its new key.
    Rotated,
    /// It is shut out, or has gone silent after it was asked. A component whose key is refused counts as silent: only
    /// requests that are let in are seen.
    Lost,
}

impl Member {
    /// How it is doing.
    pub fn condition(&self, watch: Watch) -> Condition {
        let Some(asked_at) = self.asked_at else { return Condition::Picked };
        // What it did with its new key for as long as a component may be silent, it can do for good; that its host is turned
        // off later says nothing about the key.
        let has_proved_it = |used: Timestamp| self.last_seen_at >= Some(used.plus(Status::OFFLINE_AFTER));
        // That it was silent before it was asked is not held against it, nor that it did not come while nobody was there.
        let last_sign = self.last_seen_at.map_or(asked_at, |seen| seen.max(asked_at));
        let is_back = self.last_seen_at >= Some(watch.since);
        let is_silent = watch.now.since(last_sign) > Status::OFFLINE_AFTER && (is_back || !watch.is_early());
        match self.new_key_used_at.filter(|_| self.has_new_key) {
            _ if self.standing != Standing::Active => Condition::Lost,
            Some(used) if has_proved_it(used) => Condition::Rotated,
            _ if is_silent => Condition::Lost,
            Some(_) => Condition::Rotated,
            None => Condition::Asked,
        }
    }
}

/// How many components are in which condition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many were asked, whatever became of it.
    pub asked: u64,
    /// How many of them use their new keys.
    pub rotated: u64,
    /// How many of them were lost.
    pub lost: u64,
}

impl Tally {
    /// Counts `members`.
    pub fn of(members: &[Member], watch: Watch) -> Self {
        let mut tally = Self::default();
        for member in members {
            match member.condition(watch) {
                Condition::Picked => continue,
                Condition::Asked => {}
                Condition::Rotated => tally.rotated += 1,
                Condition::Lost => tally.lost += 1,
            }
            tally.asked += 1;
        }
        tally
    }

    fn exceeds(&self, percent: u32) -> bool {
        self.lost * 100 > self.asked * u64::from(percent)
    }
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextStep {
    /// These are to be asked.
    Ask(Vec<ComponentId>),
    /// The wave is not done yet.
    Wait,
    /// The wave is done, or was waited for long enough: the next one begins, if anybody is left.
    BeginWave,
    /// Too many were lost: it stops, for this reason.
    Stop(String),
}

impl FleetRotation {
    /// What is to be done next, while it runs.
    pub fn next_step(&self, members: &[Member], watch: Watch) -> NextStep {
        let picked: Vec<_> = members.iter().filter(|member| member.asked_at.is_none()).collect();
        if !picked.is_empty() {
            return NextStep::Ask(picked.iter().map(|member| member.component).collect());
        }
        let tally = Tally::of(members, watch);
        if tally.exceeds(self.plan.max_refused_percent) {
            let Tally { asked, lost, .. } = tally;
            let percent = self.plan.max_refused_percent;
            return NextStep::Stop(format!(
                "{lost} of the {asked} components asked so far went silent or were refused; {percent} % are allowed"
            ));
        }
        let is_done = |member: &Member| matches!(member.condition(watch), Condition::Rotated | Condition::Lost);
        let wave_is_done = members.iter().filter(|member| member.wave == self.wave).all(is_done);
        // Of this time only counts what its components could use.
        let waited = |began: Timestamp| watch.now.since(began.max(watch.since));
        let was_long_enough = self.wave_began_at.is_none_or(|began| waited(began) >= self.plan.timeout);
        if wave_is_done || was_long_enough { NextStep::BeginWave } else { NextStep::Wait }
    }

    /// Whether it is over when nobody is there who could be asked: not while components that were there when it began may
    /// still come back to a server that was away.
    pub fn is_over_without_more(&self, members: &[Member], watch: Watch) -> bool {
        !watch.is_early() || members.len() as u64 >= self.total
    }
}

#[cfg(test)]
mod tests {
    use newtype_uuid::{GenericUuid as _, TypedUuid};
    use uuid::Uuid;

    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::UNIX_EPOCH.plus(Duration::from_secs(seconds))
    }

    /// That moment, for a server that was there all the time.
    fn then(now: Timestamp) -> Watch {
        Watch { now, since: at(0).minus(RETURN_WITHIN * 2) }
    }

    /// So many seconds after the start of a server that was away for ten minutes after it asked.
    fn back_for(seconds: u64) -> Watch {
        Watch { now: at(700 + seconds), since: at(700) }
    }

    /// Asked at 100 s, and seen since.
    fn member(number: u128) -> Member {
        Member {
            component: TypedUuid::from_untyped_uuid(Uuid::from_u128(number)),
            wave: 1,
            asked_at: Some(at(100)),
            standing: Standing::Active,
            last_seen_at: Some(at(120)),
            has_new_key: false,
            new_key_used_at: None,
        }
    }

    fn rotated(number: u128) -> Member {
        Member { has_new_key: true, new_key_used_at: Some(at(110)), ..member(number) }
    }

    fn silent(number: u128) -> Member {
        Member { has_new_key: true, last_seen_at: Some(at(80)), ..member(number) }
    }

    /// In its first wave, which began at 100 s.
    fn rotation(max_refused_percent: u32) -> FleetRotation {
        FleetRotation {
            id: TypedUuid::nil(),
            plan: WavePlan::new(None, None, Some(max_refused_percent), Some(60)).unwrap(),
            state: RotationState::Running,
            reason: None,
            total: 100,
            wave: 1,
            wave_began_at: Some(at(100)),
            started_by: "ada".to_owned(),
            started_at: at(90),
            ended_at: None,
        }
    }

    #[test]
    fn a_number_out_of_its_range_is_refused_by_its_name() {
        let plan = |size, percent, seconds| WavePlan::new(None, size, percent, seconds);
        assert_eq!(plan(None, None, None), Ok(WavePlan::DEFAULT));
        assert!(plan(Some(1), Some(0), Some(30)).is_ok() && plan(Some(1000), Some(100), Some(86_400)).is_ok());
        for (refused, field) in [
            (plan(Some(0), None, None), PlanField::Size),
            (plan(Some(1001), None, None), PlanField::Size),
            (plan(None, Some(101), None), PlanField::MaxRefusedPercent),
            (plan(None, None, Some(29)), PlanField::TimeoutSeconds),
            (plan(None, None, Some(86_401)), PlanField::TimeoutSeconds),
        ] {
            assert_eq!(refused.unwrap_err().field, field);
        }
    }

    #[test]
    fn a_component_is_lost_when_it_goes_silent_or_is_shut_out() {
        let now = then(at(140));
        assert_eq!(Member { asked_at: None, ..silent(1) }.condition(now), Condition::Picked);
        assert_eq!(member(1).condition(now), Condition::Asked);
        let unused = Member { has_new_key: true, ..member(1) };
        assert_eq!(unused.condition(now), Condition::Asked, "a key that was not used yet proves nothing");
        assert_eq!(rotated(1).condition(now), Condition::Rotated);
        assert_eq!(silent(1).condition(now), Condition::Lost);
        assert_eq!(Member { last_seen_at: None, ..member(1) }.condition(now), Condition::Lost);
        assert_eq!(Member { standing: Standing::Revoked, ..rotated(1) }.condition(now), Condition::Lost);
    }

    #[test]
    fn silence_begins_after_three_intervals() {
        let seen = at(120);
        assert_eq!(member(1).condition(then(seen.plus(Status::OFFLINE_AFTER))), Condition::Asked);
        let late = then(seen.plus(Status::OFFLINE_AFTER + Duration::from_micros(1)));
        assert_eq!(member(1).condition(late), Condition::Lost);
        assert_eq!(rotated(1).condition(late), Condition::Lost, "used once and never again");
    }

    #[test]
    fn silence_before_it_was_asked_is_not_held_against_a_component() {
        let down = Member { last_seen_at: Some(at(71)), ..member(1) };
        assert_eq!(down.condition(then(at(102))), Condition::Asked);
        assert_eq!(down.condition(then(at(130))), Condition::Asked);
        assert_eq!(down.condition(then(at(131))), Condition::Lost);
    }

    #[test]
    fn a_server_that_was_away_waits_for_those_who_back_off() {
        let (within, last) = (RETURN_WITHIN.as_secs(), Member { last_seen_at: None, ..member(3) });
        for away in [member(1), rotated(2), last] {
            let meanwhile = if away.new_key_used_at.is_some() { Condition::Rotated } else { Condition::Asked };
            for seconds in [0, 31, within] {
                assert_eq!(away.condition(back_for(seconds)), meanwhile, "{seconds} s after the start");
            }
            assert_eq!(away.condition(back_for(within + 1)), Condition::Lost);
        }
        let back = Member { last_seen_at: Some(at(710)), ..member(1) };
        assert_eq!(back.condition(back_for(40)), Condition::Asked);
        assert_eq!(back.condition(back_for(41)), Condition::Lost, "it came back and went silent");
        assert_eq!(Member { standing: Standing::Revoked, ..member(1) }.condition(back_for(0)), Condition::Lost);
    }

    #[test]
    fn the_time_that_a_server_was_away_is_none_in_which_a_wave_was_waited_for() {
        let (rotation, members) = (rotation(0), [rotated(1), member(2)]);
        assert_eq!(rotation.next_step(&members, back_for(0)), NextStep::Wait);
        assert_eq!(rotation.next_step(&members, back_for(59)), NextStep::Wait);
        assert_eq!(rotation.next_step(&members, back_for(60)), NextStep::BeginWave);
        let late = back_for(RETURN_WITHIN.as_secs() + 1);
        assert!(matches!(rotation.next_step(&members, late), NextStep::Stop(_)), "they had time to come back");
    }

    #[test]
    fn it_is_not_over_while_components_may_still_come_back() {
        let (two, members) = (FleetRotation { total: 2, ..rotation(0) }, [rotated(1), rotated(2)]);
        assert!(two.is_over_without_more(&members, back_for(0)), "nobody is missing");
        assert!(!two.is_over_without_more(&members[..1], back_for(RETURN_WITHIN.as_secs())));
        assert!(two.is_over_without_more(&members[..1], back_for(RETURN_WITHIN.as_secs() + 1)));
        assert!(two.is_over_without_more(&members[..1], then(at(131))), "the server was there, and they were not");
    }

    #[test]
    fn a_component_that_proved_its_new_key_is_not_lost_when_its_host_is_turned_off() {
        let proved = Member { last_seen_at: Some(at(140)), ..rotated(1) };
        assert_eq!(proved.condition(then(at(10_000))), Condition::Rotated);
        let barely_not = Member { last_seen_at: Some(at(139)), ..rotated(1) };
        assert_eq!(barely_not.condition(then(at(10_000))), Condition::Lost);
    }

    #[test]
    fn those_who_were_picked_are_asked_before_anything_else() {
        let picked = Member { asked_at: None, ..member(2) };
        let step = rotation(0).next_step(&[silent(1), picked], then(at(125)));
        assert_eq!(step, NextStep::Ask(vec![picked.component]));
    }

    #[test]
    fn a_wave_begins_when_the_one_before_is_done_or_took_too_long() {
        let rotation = rotation(100);
        assert_eq!(
            FleetRotation { wave: 0, wave_began_at: None, ..rotation.clone() }.next_step(&[], then(at(90))),
            NextStep::BeginWave
        );
        assert_eq!(rotation.next_step(&[rotated(1), member(2)], then(at(130))), NextStep::Wait);
        assert_eq!(rotation.next_step(&[rotated(1), rotated(2), silent(3)], then(at(131))), NextStep::BeginWave);
        let slow = Member { last_seen_at: Some(at(159)), ..member(2) };
        assert_eq!(rotation.next_step(&[rotated(1), slow], then(at(159))), NextStep::Wait);
        assert_eq!(rotation.next_step(&[rotated(1), slow], then(at(160))), NextStep::BeginWave);
        let of_an_earlier_wave = Member { wave: 1, ..slow };
        let second = FleetRotation { wave: 2, ..rotation };
        assert_eq!(
            second.next_step(&[of_an_earlier_wave, Member { wave: 2, ..rotated(3) }], then(at(140))),
            NextStep::BeginWave
        );
    }

    #[test]
    fn it_stops_beyond_the_share_and_not_at_it() {
        let members: Vec<_> = (0..19).map(rotated).chain([silent(19)]).collect();
        assert_eq!(rotation(5).next_step(&members, then(at(131))), NextStep::BeginWave);
        let NextStep::Stop(reason) = rotation(4).next_step(&members, then(at(131))) else { panic!("it goes on") };
        assert!(reason.starts_with("1 of the 20 components"), "{reason}");
        let first_of_all = [silent(1), member(2), member(3)];
        assert!(matches!(rotation(0).next_step(&first_of_all, then(at(131))), NextStep::Stop(_)));
        assert_eq!(rotation(100).next_step(&[silent(1)], then(at(131))), NextStep::BeginWave, "whoever wants it so");
    }
}
