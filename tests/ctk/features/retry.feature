Feature: Retry
  As an implementer of the workflow DSL
  I want to ensure that a caught error is tried again as its policy says
  So that my implementation conforms to the expected behavior

  # dsl-reference.md "Retry": the same delay each time, as many attempts as the limit says
  Scenario: Retry With Constant Backoff
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: retry-constant
      version: '1.0.0'
    do:
      - trySomething:
          try:
            - fail:
                raise:
                  error:
                    type: https://open-workflow-specification.org/spec/1.0.0/errors/communication
                    status: 503
                    title: Busy
          catch:
            retry:
              delay:
                seconds: 3
              backoff:
                constant: {}
              limit:
                attempt:
                  count: 4
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://open-workflow-specification.org/spec/1.0.0/errors/communication
    status: 503
    title: Busy
    instance: /do/0/trySomething/try/0/fail
    """
    And fail should run 5 times
    And the workflow should have waited PT12S

  Scenario: Retry With Linear Backoff
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: retry-linear
      version: '1.0.0'
    do:
      - trySomething:
          try:
            - fail:
                raise:
                  error:
                    type: https://open-workflow-specification.org/spec/1.0.0/errors/communication
                    status: 503
          catch:
            retry:
              delay: PT2S
              backoff:
                linear: {}
              limit:
                attempt:
                  count: 3
    """
    When the workflow is executed
    Then the workflow should fault
    And fail should run 4 times
    And the workflow should have waited PT12S

  Scenario: Retry With Exponential Backoff
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: retry-exponential
      version: '1.0.0'
    do:
      - trySomething:
          try:
            - fail:
                raise:
                  error:
                    type: https://open-workflow-specification.org/spec/1.0.0/errors/communication
                    status: 503
          catch:
            retry:
              delay:
                seconds: 1
              backoff:
                exponential: {}
              limit:
                attempt:
                  count: 5
    """
    When the workflow is executed
    Then the workflow should fault
    And fail should run 6 times
    And the workflow should have waited PT31S

  # dsl-reference.md "Retry Limit": no attempt begins after the duration
  Scenario: Retry Within A Duration
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: retry-duration
      version: '1.0.0'
    do:
      - trySomething:
          try:
            - fail:
                raise:
                  error:
                    type: https://open-workflow-specification.org/spec/1.0.0/errors/communication
                    status: 503
          catch:
            retry:
              delay:
                minutes: 4
              limit:
                duration:
                  minutes: 10
    """
    When the workflow is executed
    Then the workflow should fault
    And fail should run 3 times
    And the workflow should have waited PT8M

  # dsl-reference.md "Use": a policy by name
  Scenario: Retry By A Reusable Policy
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: retry-reusable
      version: '1.0.0'
    use:
      retries:
        patient:
          delay: PT1H
          limit:
            attempt:
              count: 2
    do:
      - trySomething:
          try:
            - fail:
                raise:
                  error:
                    type: https://open-workflow-specification.org/spec/1.0.0/errors/communication
                    status: 503
          catch:
            retry: patient
    """
    When the workflow is executed
    Then the workflow should fault
    And fail should run 3 times
    And the workflow should have waited PT2H

  # dsl-reference.md "Catch": what the handler does comes when the tries are used up
  Scenario: Retry And Then Handle
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: retry-handle
      version: '1.0.0'
    do:
      - trySomething:
          try:
            - fail:
                raise:
                  error:
                    type: https://open-workflow-specification.org/spec/1.0.0/errors/communication
                    status: 503
          catch:
            as: trouble
            retry:
              delay: PT1M
              limit:
                attempt:
                  count: 1
            do:
              - handle:
                  set:
                    status: ${ $trouble.status }
                    where: ${ $trouble.instance }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    status: 503
    where: /do/0/trySomething/try/0/fail
    """
    And fail should run 2 times
    And handle should run 1 time
    And the workflow should have waited PT1M

  # dsl-reference.md "Retry": when, exceptWhen
  Scenario: Retry Only What May Be Tried Again
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: retry-when
      version: '1.0.0'
    do:
      - trySomething:
          try:
            - fail:
                raise:
                  error:
                    type: https://open-workflow-specification.org/spec/1.0.0/errors/communication
                    status: 503
                    detail: ${ .why }
          catch:
            as: trouble
            retry:
              when: ${ $trouble.status >= 500 }
              exceptWhen: ${ $trouble.detail == "gone" }
              delay: PT1M
              limit:
                attempt:
                  count: 2
    """
    And given the workflow input is:
    """yaml
    why: gone
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    detail: gone
    """
    And fail should run 1 time
    And the workflow should have waited PT0S

  # dsl-reference.md "Catch": an error that the filter does not name is not tried again
  Scenario: Retry Leaves Other Errors Alone
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: retry-other
      version: '1.0.0'
    do:
      - trySomething:
          try:
            - fail:
                raise:
                  error:
                    type: https://open-workflow-specification.org/spec/1.0.0/errors/validation
                    status: 400
          catch:
            errors:
              with:
                type: https://open-workflow-specification.org/spec/1.0.0/errors/communication
            retry:
              delay: PT1M
              limit:
                attempt:
                  count: 2
    """
    When the workflow is executed
    Then the workflow should fault
    And fail should run 1 time

  # The third attempt finds that the time has come: waits and retries go together over restarts.
  Scenario: Retry Until It Works
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: retry-works
      version: '1.0.0'
    do:
      - begin:
          set:
            count: 0
          export:
            as: '{ count: 0 }'
      - trySomething:
          try:
            - count:
                set:
                  count: ${ $context.count + 1 }
                export:
                  as: '{ count: .count }'
            - fail:
                if: $context.count < 3
                raise:
                  error:
                    type: https://open-workflow-specification.org/spec/1.0.0/errors/communication
                    status: 503
            - done:
                set:
                  tries: ${ $context.count }
          catch:
            retry:
              delay: PT10S
              backoff:
                exponential: {}
              limit:
                attempt:
                  count: 5
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    tries: 3
    """
    And count should run 3 times
    And the workflow should have waited PT30S

  # dsl-reference.md "Retry Limit": attempt.duration is of all attempts
  Scenario: Retry Within A Duration Of All Attempts
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: retry-attempt-duration
      version: '1.0.0'
    do:
      - trySomething:
          try:
            - fail:
                raise:
                  error:
                    type: https://open-workflow-specification.org/spec/1.0.0/errors/communication
                    status: 503
          catch:
            retry:
              delay: PT1M
              backoff:
                linear: {}
              limit:
                attempt:
                  count: 10
                  duration: PT5M
                duration: PT1H
    """
    When the workflow is executed
    Then the workflow should fault
    And fail should run 3 times
    And the workflow should have waited PT3M

  # dsl-reference.md "Jitter": between its two ends
  Scenario: Retry With Jitter
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: retry-jitter
      version: '1.0.0'
    do:
      - trySomething:
          try:
            - fail:
                raise:
                  error:
                    type: https://open-workflow-specification.org/spec/1.0.0/errors/communication
                    status: 503
          catch:
            retry:
              delay: PT10S
              jitter:
                from: PT1S
                to: PT2S
              limit:
                attempt:
                  count: 1
    """
    When the workflow is started
    And the clock moves on by PT10.999S
    Then fail should run 1 time
    When the clock moves on by PT1.001S
    Then fail should run 2 times
