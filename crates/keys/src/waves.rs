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
    /// How it is doing at `now`.
    pub fn condition(&self, now: Timestamp) -> Condition {
        if self.asked_at.is_none() {
            return Condition::Picked;
        }
        // What it did with its new key for as long as a component may be silent, it can do for good; that its host is turned
        // off later says nothing about the key.
        let has_proved_it = |used: Timestamp| self.last_seen_at >= Some(used.plus(Status::OFFLINE_AFTER));
        let is_silent = self.last_seen_at.is_none_or(|seen| now.since(seen) > Status::OFFLINE_AFTER);
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
    /// Counts `members` at `now`.
    pub fn of(members: &[Member], now: Timestamp) -> Self {
        let mut tally = Self::default();
        for member in members {
            match member.condition(now) {
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
    /// What is to be done next at `now`, while it runs.
    pub fn next_step(&self, members: &[Member], now: Timestamp) -> NextStep {
        let picked: Vec<_> = members.iter().filter(|member| member.asked_at.is_none()).collect();
        if !picked.is_empty() {
            return NextStep::Ask(picked.iter().map(|member| member.component).collect());
        }
        let tally = Tally::of(members, now);
        if tally.exceeds(self.plan.max_refused_percent) {
            let Tally { asked, lost, .. } = tally;
            let percent = self.plan.max_refused_percent;
            return NextStep::Stop(format!(
                "{lost} of the {asked} components asked so far went silent or were refused; {percent} % are allowed"
            ));
        }
        let is_done = |member: &Member| matches!(member.condition(now), Condition::Rotated | Condition::Lost);
        let wave_is_done = members.iter().filter(|member| member.wave == self.wave).all(is_done);
        let was_long_enough = self.wave_began_at.is_none_or(|began| now.since(began) >= self.plan.timeout);
        if wave_is_done || was_long_enough { NextStep::BeginWave } else { NextStep::Wait }
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
        let now = at(140);
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
        assert_eq!(member(1).condition(seen.plus(Status::OFFLINE_AFTER)), Condition::Asked);
        let late = seen.plus(Status::OFFLINE_AFTER + Duration::from_micros(1));
        assert_eq!(member(1).condition(late), Condition::Lost);
        assert_eq!(rotated(1).condition(late), Condition::Lost, "used once and never again");
    }

    #[test]
    fn a_component_that_proved_its_new_key_is_not_lost_when_its_host_is_turned_off() {
        let proved = Member { last_seen_at: Some(at(140)), ..rotated(1) };
        assert_eq!(proved.condition(at(10_000)), Condition::Rotated);
        let barely_not = Member { last_seen_at: Some(at(139)), ..rotated(1) };
        assert_eq!(barely_not.condition(at(10_000)), Condition::Lost);
    }

    #[test]
    fn those_who_were_picked_are_asked_before_anything_else() {
        let picked = Member { asked_at: None, ..member(2) };
        let step = rotation(0).next_step(&[silent(1), picked], at(125));
        assert_eq!(step, NextStep::Ask(vec![picked.component]));
    }

    #[test]
    fn a_wave_begins_when_the_one_before_is_done_or_took_too_long() {
        let rotation = rotation(100);
        assert_eq!(
            FleetRotation { wave: 0, wave_began_at: None, ..rotation.clone() }.next_step(&[], at(90)),
            NextStep::BeginWave
        );
        assert_eq!(rotation.next_step(&[rotated(1), member(2)], at(130)), NextStep::Wait);
        assert_eq!(rotation.next_step(&[rotated(1), rotated(2), silent(3)], at(130)), NextStep::BeginWave);
        let slow = Member { last_seen_at: Some(at(159)), ..member(2) };
        assert_eq!(rotation.next_step(&[rotated(1), slow], at(159)), NextStep::Wait);
        assert_eq!(rotation.next_step(&[rotated(1), slow], at(160)), NextStep::BeginWave);
        let of_an_earlier_wave = Member { wave: 1, ..slow };
        let second = FleetRotation { wave: 2, ..rotation };
        assert_eq!(
            second.next_step(&[of_an_earlier_wave, Member { wave: 2, ..rotated(3) }], at(140)),
            NextStep::BeginWave
        );
    }

    #[test]
    fn it_stops_beyond_the_share_and_not_at_it() {
        let members: Vec<_> = (0..19).map(rotated).chain([silent(19)]).collect();
        assert_eq!(rotation(5).next_step(&members, at(125)), NextStep::BeginWave);
        let NextStep::Stop(reason) = rotation(4).next_step(&members, at(125)) else { panic!("it goes on") };
        assert!(reason.starts_with("1 of the 20 components"), "{reason}");
        let first_of_all = [silent(1), member(2), member(3)];
        assert!(matches!(rotation(0).next_step(&first_of_all, at(125)), NextStep::Stop(_)));
        assert_eq!(rotation(100).next_step(&[silent(1)], at(125)), NextStep::BeginWave, "whoever wants it so");
    }
}
