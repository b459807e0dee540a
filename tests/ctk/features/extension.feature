Feature: Extension
  As an implementer of the workflow DSL
  I want to ensure that extensions stand around the tasks that they are for
  So that my implementation conforms to the expected behavior

  # dsl-reference.md "Extension": when does not hold, so the task is what it was
  Scenario: Extension That Does Not Apply
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: test, name: intercept-not, version: '0.1.0' }
    use:
      extensions:
        - mockService:
            extend: call
            when: $task.call == "http" and ($task.with.uri != null and ($task.with.uri | startswith("https://mocked.service.com"))) or ($task.with.endpoint.uri != null and ($task.with.endpoint.uri | startswith("https://mocked.service.com")))
            before:
              - intercept:
                  set: { statusCode: 200 }
                  then: exit
    do:
      - sampleTask:
          call: http
          with: { method: get, endpoint: https://petstore.swagger.io/v2/pet/1 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { id: 1, name: doggie, status: available }
    """

  # dsl-reference.md "Extension": "we want to exit the extended task, thus just returning what we injected"
  Scenario: Extension Intercepts A Call
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: test, name: intercept, version: '0.1.0' }
    use:
      extensions:
        - mockService:
            extend: call
            when: $task.call == "http" and ($task.with.uri != null and ($task.with.uri | startswith("https://mocked.service.com"))) or ($task.with.endpoint.uri != null and ($task.with.endpoint.uri | startswith("https://mocked.service.com")))
            before:
              - intercept:
                  set:
                    statusCode: 200
                    headers: { Content-Type: application/json }
                    content: { foo: { bar: baz } }
                  then: exit
    do:
      - sampleTask:
          call: http
          with: { method: get, endpoint: https://mocked.service.com/sample }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    statusCode: 200
    headers: { Content-Type: application/json }
    content: { foo: { bar: baz } }
    """

  # dsl-reference.md "Extension": before and after any non-extension task; a kill in between loses and repeats nothing
  Scenario: Extension Around Every Task Over A Restart
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: test, name: around, version: '0.1.0' }
    use:
      extensions:
        - logging:
            extend: all
            before:
              - note:
                  set: { x: 1 }
                  export: { as: '${ { log: (($context.log // []) + [ "before " + $task.reference ]) } }' }
            after:
              - pause: { wait: { milliseconds: 50 } }
              - note:
                  set: { x: 1 }
                  export: { as: '${ { log: (($context.log // []) + [ "after " + $task.reference ]) } }' }
    do:
      - first: { set: { a: 1 } }
      - second: { set: { b: '${ .a }' } }
    output: { as: '${ { log: $context.log, last: . } }' }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    log: [ before /do/0/first, after /do/0/first, before /do/1/second, after /do/1/second ]
    last: { b: 1 }
    """
