"""A switch that a person works by hand."""

from __future__ import annotations

from runner.api import Driver, Duration, LabError, Person, Power, PowerState, Unreachable, arg


class Manual(Driver, Power):
    """A switch that a person works by hand: whoever sits at the terminal is asked to do it.

    Its state is what the person has confirmed last; before that it is not known. A recipe that
    needs it is refused when nobody can be asked, with ``--no-input`` and without a terminal,
    before anything runs.

    Example::

        devices:
          power: {driver: manual, what: the red plug on shelf 2}
    """

    what: str = arg(
        primary=True, help="what is to be switched, in words that a person at the bench understands"
    )
    limit: Duration = arg(default=Duration("4m"), help="how long the person may take")

    def __post_init__(self) -> None:
        """Know nobody yet."""
        self._person: Person | None = None
        self._state: PowerState | None = None

    def meet(self, person: Person) -> None:
        """Know whom to ask."""
        self._person = person

    @property
    def answers_within(self) -> Duration:
        """Return how long a person may take."""
        return self.limit

    def abandon(self) -> bool:
        """Take back what was asked."""
        if self._person is not None:
            self._person.withdraw()
        return self._person is not None

    def on(self) -> None:
        """Ask for it to be switched on, unless it is."""
        self._switched("on")

    def off(self) -> None:
        """Ask for it to be switched off, unless it is."""
        self._switched("off")

    def state(self) -> PowerState | None:
        """Return what was confirmed last; nobody is asked."""
        return self._state

    def label(self) -> str:
        """Return what the person knows it as."""
        return self.what

    def _switched(self, wanted: PowerState) -> None:
        if self._state == wanted:
            return
        if self._person is None:
            raise Unreachable("it needs a person at the terminal, and nobody is there")
        self._state = None
        if not self._person.confirms(f"switch {wanted} {self.what}", self.limit):
            raise LabError(f"the person says that it could not be switched {wanted}")
        self._state = wanted
