Feature: Extensions
  As an implementer of the workflow DSL
  I want to ensure that extensions stand around the tasks they extend
  So that my implementation conforms to the expected behavior

  # dsl-reference.md "Extension": before and after; extend all
  Scenario: Extension Before And After
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: extension-around
      version: '1.0.0'
    use:
      extensions:
        - counting:
            extend: set
            before:
              - countBefore:
                  set:
                    n: 1
                  export:
                    as: '$context + { before: (($context.before // 0) + 1) }'
            after:
              - countAfter:
                  set:
                    n: 1
                  export:
                    as: '$context + { after: (($context.after // 0) + 1) }'
    do:
      - first:
          set:
            a: 1
      - pause:
          wait: PT1M
      - second:
          set:
            a: ${ .a + 1 }
      - last:
          do:
            - inner:
                set:
                  a: ${ .a + 1 }
                  seen: '${ $context | { before, after } }'
    """
    And given the workflow input is:
    """yaml
    {}
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    a: 3
    seen: { before: 3, after: 2 }
    """
    And countBefore should run 3 times
    And countAfter should run 3 times
    And the workflow should have waited PT1M

  # dsl-reference.md "Extension", its second example: exit leaves the extended task out
  Scenario: Extension That Mocks A Call
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: extension-mock
      version: '1.0.0'
    use:
      extensions:
        - mockService:
            extend: call
            when: ($task.with.endpoint.uri | startswith("https://mocked.service.com"))
            before:
              - intercept:
                  set:
                    statusCode: 200
                    content:
                      foo:
                        bar: baz
                  then: exit
    do:
      - sampleTask:
          call: http
          with:
            method: get
            endpoint:
              uri: https://mocked.service.com/sample
          output:
            as: .content
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    foo: { bar: baz }
    """
    And outside should have been asked:
    """yaml
    []
    """

  Scenario: Extension That Does Not Apply
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: extension-when
      version: '1.0.0'
    use:
      extensions:
        - never:
            extend: all
            when: $task.set.color == "blue"
            before:
              - intercept:
                  set:
                    color: green
                  then: exit
    do:
      - red:
          set:
            color: red
      - both:
          set:
            color: blue
          output:
            as: '$input + { second: .color }'
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    color: red
    second: green
    """
    And intercept should run 1 time

  # An extension may take time; the task waits for it.
  Scenario: Extension That Waits
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: extension-wait
      version: '1.0.0'
    use:
      extensions:
        - slow:
            extend: emit
            before:
              - rest:
                  wait: PT10S
            after:
              - restAgain:
                  wait: PT20S
    do:
      - say:
          emit:
            event:
              with:
                source: https://example.com
                type: com.example.said
                data: { a: 1 }
          output:
            as: .data
    """
    When the workflow is started
    Then the event 'com.example.said' should have been emitted 0 times
    When the clock runs on
    Then the workflow should complete with output:
    """yaml
    a: 1
    """
    And the event 'com.example.said' should have been emitted 1 times
    And the workflow should have waited PT30S

  # An error in an extension is one of the task, and can be caught.
  Scenario: Extension That Fails
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: extension-fails
      version: '1.0.0'
    use:
      extensions:
        - guard:
            extend: wait
            before:
              - refuse:
                  raise:
                    error:
                      type: https://open-workflow-specification.org/spec/1.0.0/errors/authorization
                      status: 403
    do:
      - trySomething:
          try:
            - pause:
                wait: PT1H
          catch:
            as: trouble
            do:
              - note:
                  set:
                    status: ${ $trouble.status }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    status: 403
    """
    And the workflow should have waited PT0S
