Feature: Schedule
  As an implementer of the workflow DSL
  I want to ensure that workflows start at the times they say, each time once
  So that my implementation conforms to the expected behavior

  # dsl-reference.md "Schedule": cron, in the workspace's time zone. On 2026-03-29 the clock of Paris goes
  # from 02:00 to 03:00: the first valid instant after the gap.
  Scenario: Cron When The Clock Goes Forward
    Given the workspace has a file 'flows/nightly.yaml':
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: nightly
      version: '1.0.0'
    schedule:
      cron: '30 2 * * *'
    do:
      - done:
          set:
            done: true
    """
    And the workspace's time zone is Europe/Paris
    And the clock stands at 2026-03-27T12:00:00Z
    When the engine serves the workspace
    And the clock moves to 2026-03-31T12:00:00Z
    Then the workflow 'nightly' should have started at:
    """yaml
    - '2026-03-28T01:30:00.000Z'
    - '2026-03-29T01:00:00.000Z'
    - '2026-03-30T00:30:00.000Z'
    - '2026-03-31T00:30:00.000Z'
    """

  # On 2026-10-25 the clock of Paris shows 02:30 twice: the first time only.
  Scenario: Cron When The Clock Goes Back
    Given the workspace has a file 'flows/nightly.yaml':
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: nightly
      version: '1.0.0'
    schedule:
      cron: '30 2 * * *'
    do:
      - done:
          set:
            done: true
    """
    And the workspace's time zone is Europe/Paris
    And the clock stands at 2026-10-24T12:00:00Z
    When the engine serves the workspace
    And the clock moves to 2026-10-27T12:00:00Z
    Then the workflow 'nightly' should have started at:
    """yaml
    - '2026-10-25T00:30:00.000Z'
    - '2026-10-26T01:30:00.000Z'
    - '2026-10-27T01:30:00.000Z'
    """

  # The engine dies between the two 02:30: the second is not one more.
  Scenario: Cron When The Engine Dies In The Fold
    Given the workspace has a file 'flows/nightly.yaml':
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: nightly
      version: '1.0.0'
    schedule:
      cron: '30 2 * * *'
    do:
      - done:
          set:
            done: true
    """
    And the workspace's time zone is Europe/Paris
    And the clock stands at 2026-10-24T12:00:00Z
    When the engine serves the workspace
    And the clock moves to 2026-10-25T00:30:00Z
    And the engine is killed and restarted at 2026-10-25T01:30:00Z
    And the clock moves to 2026-10-25T12:00:00Z
    Then the workflow 'nightly' should have started at:
    """yaml
    - '2026-10-25T00:30:00.000Z'
    """

  # dsl-reference.md "Schedule": every, whatever became of the run before
  Scenario: Every Six Hours
    Given the workspace has a file 'flows/poll.yaml':
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: poll
      version: '1.0.0'
    schedule:
      every:
        hours: 6
    do:
      - slow:
          wait: PT7H
    """
    And the clock stands at 2026-05-04T08:00:00Z
    When the engine serves the workspace
    And the clock moves to 2026-05-05T08:00:00Z
    Then the workflow 'poll' should have started at:
    """yaml
    - '2026-05-04T14:00:00.000Z'
    - '2026-05-04T20:00:00.000Z'
    - '2026-05-05T02:00:00.000Z'
    - '2026-05-05T08:00:00.000Z'
    """

  # dsl-reference.md "Schedule": after, from the completion of the run before
  Scenario: After The Run Before Has Completed
    Given the workspace has a file 'flows/chase.yaml':
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: chase
      version: '1.0.0'
    schedule:
      after:
        minutes: 30
    do:
      - slow:
          wait: PT1H
    """
    And the clock stands at 2026-05-04T08:00:00Z
    When the workspace's workflow 'default/chase' is started
    And the clock moves to 2026-05-04T12:00:00Z
    Then the workflow 'chase' should have started at:
    """yaml
    - '2026-05-04T08:00:00.000Z'
    - '2026-05-04T09:30:00.000Z'
    - '2026-05-04T11:00:00.000Z'
    """

  # What was missed while nothing ran: the latest, once.
  Scenario: Cron That Was Missed
    Given the workspace has a file 'flows/hourly.yaml':
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: hourly
      version: '1.0.0'
    schedule:
      cron: '@hourly'
    do:
      - done:
          set:
            done: true
    """
    And the clock stands at 2026-05-04T08:30:00Z
    When the engine serves the workspace
    And the clock moves to 2026-05-04T09:10:00Z
    And the engine is killed and restarted at 2026-05-04T13:20:00Z
    And the clock moves to 2026-05-04T14:30:00Z
    Then the workflow 'hourly' should have started at:
    """yaml
    - '2026-05-04T09:00:00.000Z'
    - '2026-05-04T13:20:00.000Z'
    - '2026-05-04T14:00:00.000Z'
    """

  # WORKSPACE settings: starts beside the standard's schedule, with an input
  Scenario: Starts Of The Workspace
    Given the workspace has a file 'flows/issue.yaml':
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: issue
      version: '1.0.0'
    do:
      - done:
          set:
            list: ${ .list }
    """
    And the workspace's settings hold:
    """yaml
    flows:
      issue:
        starts:
          - { cron: '0 6 * * 2', missed: skip, with: { list: readers } }
    """
    And the workspace's time zone is America/New_York
    And the clock stands at 2026-03-02T00:00:00Z
    When the engine serves the workspace
    And the clock moves to 2026-03-16T00:00:00Z
    Then the workflow 'issue' should have started at:
    """yaml
    - '2026-03-03T11:00:00.000Z'
    - '2026-03-10T10:00:00.000Z'
    """
    And the workflow 'issue' should have completed with outputs:
    """yaml
    - { list: readers }
    - { list: readers }
    """
